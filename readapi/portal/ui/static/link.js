/* The page of a sign-in link: the token in the fragment, which no server sees, becomes a field of the form. Sending the
   form takes a press: those who only open links use nothing up. */
const link = document.querySelector("[data-link]"), token = location.hash.slice(1);
if (token) {
	link.querySelector("[name=token]").value = token;
	history.replaceState(null, "", location.pathname + location.search);
	link.hidden = false;
	document.querySelector("[data-no-link]").hidden = true;
	const said = link.querySelector("[data-whose]");
	fetch(link.dataset.link, { method: "POST", body: new URLSearchParams({ token }) }).then(async (answer) => {
		const whose = await answer.json();
		said.textContent = whose.firm ? "You sign in to " + whose.firm + " as " + (whose.name ? whose.name + " (" + whose.email + ")" : whose.email) + "." : whose.detail;
		if (!whose.firm) link.querySelector("form").hidden = true;
	}).catch(() => (said.textContent = ""));
}
