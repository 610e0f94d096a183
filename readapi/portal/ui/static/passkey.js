/* Passkeys: buttons with data-passkey="get" or "create" ask the browser for one. */
async function passkey(b) {
	const post = async (url, body) => {
		const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });
		const reply = await answer.json();
		if (!answer.ok) throw new Error(reply.detail);
		return reply;
	};
	const error = b.parentElement.querySelector("[data-passkey-error]");
	error.textContent = "";
	try {
		const { publicKey } = await post(b.dataset.begin), K = PublicKeyCredential;
		const made = b.dataset.passkey === "create"
			? await navigator.credentials.create({ publicKey: K.parseCreationOptionsFromJSON(publicKey) })
			: await navigator.credentials.get({ publicKey: K.parseRequestOptionsFromJSON(publicKey) });
		const next = await post(b.dataset.finish, made);
		if (!next.post) return location.assign(next.location);
		const form = Object.assign(document.createElement("form"), { method: "post", action: next.location });
		document.body.append(form);
		form.submit();
	} catch (e) {
		error.textContent = e.name === "NotAllowedError" ? "The passkey was not used. Try again, or sign in another way." : e.message;
	}
}

document.addEventListener("click", (e) => {
	const button = e.target.closest("[data-passkey]");
	if (button) passkey(button);
});
