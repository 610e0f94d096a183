/* Atrium's script, on every page. Pages work without it; it finds what it improves by data attributes. What only some
   pages need is in files of its own, which stand beside their components. Comments stand on lines of their own, and no
   string reaches over the end of a line: both are relied upon when this is sent. */
const all = (what, where = document) => where.querySelectorAll(what);
const on = (type, run, where = document) => where.addEventListener(type, run);
const parse = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");

// What needs the script, or has no use beside it; called again for every part that is put into the page.
function improve(part) {
	for (const e of all("[data-script]", part)) e.hidden = "passkey" in e.dataset && !window.PublicKeyCredential;
	for (const e of all("[data-no-script]", part)) e.hidden = true;
	for (const e of all("time[data-date], time[data-time]", part)) localise(e);
	part.querySelector(".errors")?.focus();
	document.dispatchEvent(new CustomEvent("part", { detail: part }));
}

// Times in the reader's zone and way of writing, in the language of the page.
const language = navigator.languages.find((l) => l.startsWith(document.documentElement.lang)) || "en-GB";
function localise(e) {
	const date = "date" in e.dataset;
	const style = date ? { dateStyle: "medium", timeZone: "UTC" } : { dateStyle: "medium", timeStyle: "short" };
	if (!date) e.title ||= e.textContent;
	e.textContent = new Intl.DateTimeFormat(language, style).format(new Date(e.dateTime));
}

// A note at the bottom of the page, with a button or for a moment.
let note;
function say(text, label, act) {
	note?.remove();
	note = document.createElement("div");
	note.className = "notice toast";
	note.setAttribute("role", "status");
	document.body.append(note);
	note.append(Object.assign(document.createElement("p"), { textContent: text }));
	if (!act) return setTimeout(() => note.remove(), 4000);
	const button = Object.assign(document.createElement("button"), { className: "button small", textContent: label });
	button.onclick = () => (note.remove(), act());
	note.append(button);
}

// Something changed: the page is fetched again, and shown when it differs and nobody is in the middle of something.
const busy = () => document.querySelector("dialog[open], form[data-typed], details[open] form") || document.activeElement?.matches("input, select, textarea");
let shown = document.querySelector("main")?.innerHTML, last = 0, timer;
async function refresh() {
	if (document.hidden) return on("visibilitychange", refresh, document);
	document.removeEventListener("visibilitychange", refresh);
	last = Date.now();
	const answer = await fetch(location, { headers: { "X-Refresh": "1" } });
	if (!answer.ok || answer.redirected) return;
	const page = await parse(answer), main = page.querySelector("main"), side = page.querySelector(".side nav");
	if (!main || main.innerHTML === shown) return;
	const show = () => {
		const open = [...all("main details")].map((e) => e.open), spots = () => [...all("main :is(a, button, summary)")];
		const focus = spots().indexOf(document.activeElement);
		shown = main.innerHTML;
		document.querySelector("main").innerHTML = shown;
		if (side) document.querySelector(".side nav").innerHTML = side.innerHTML;
		all("main details").forEach((e, i) => (e.open = open[i]));
		improve(document.querySelector("main"));
		spots()[focus]?.focus({ preventScroll: true });
	};
	busy() ? say("Something here has changed.", "Show it", show) : show();
}
if (document.body.dataset.events) {
	new EventSource(document.body.dataset.events).addEventListener("position", (e) => {
		if (e.lastEventId === document.body.dataset.position) return;
		document.body.dataset.position = e.lastEventId;
		clearTimeout(timer);
		timer = setTimeout(() => refresh().catch(() => {}), Math.max(300, last + 5000 - Date.now()));
	});
}

on("input", (e) => {
	e.target.form?.setAttribute("data-typed", "");
});

on("click", async (e) => {
	const at = (what) => e.target.closest(what);
	let b;
	if ((b = at("[data-copy]"))) {
		await navigator.clipboard.writeText(b.dataset.copy);
		say("Copied.");
	} else if (at("[data-print]")) print();
	else if ((b = at("a[data-dialog]")) && !e.ctrlKey && !e.metaKey && !e.shiftKey) {
		e.preventDefault();
		ask(b.href);
	} else if ((b = at("dialog [data-close]"))) {
		e.preventDefault();
		b.closest("dialog").close();
	}
});

on("keydown", (e) => {
	if (e.key !== "/" || e.target.matches("input, textarea, select") || e.ctrlKey || e.metaKey) return;
	const search = document.querySelector("[data-hotkey]");
	if (search?.offsetParent) e.preventDefault(), search.focus();
});

// A form is sent once. The button stays usable for screen readers, but a second press does nothing.
on("submit", (e) => {
	const form = e.target;
	if (form.dataset.sent) return e.preventDefault();
	if (form.method === "get") return;
	form.dataset.sent = 1;
	e.submitter?.setAttribute("aria-disabled", "true");
	if ("upload" in form.dataset) e.preventDefault(), upload(form, e.submitter);
});
on("pageshow", () => all("form[data-sent]").forEach((f) => (delete f.dataset.sent, all("[aria-disabled]", f).forEach((b) => b.removeAttribute("aria-disabled")))), window);

// The page that asks before an act, as a dialog. If it cannot be fetched, it is opened.
async function ask(href) {
	const form = await fetch(href).then(parse).then((page) => page.querySelector("[data-confirm]"), () => null);
	if (!form) return location.assign(href);
	const dialog = document.createElement("dialog"), title = form.querySelector("h1, h2");
	dialog.append(document.adoptNode(form));
	title.id = "dialog-title";
	dialog.setAttribute("aria-labelledby", title.id);
	dialog.addEventListener("close", () => dialog.remove());
	document.body.append(dialog);
	improve(dialog);
	dialog.showModal();
}

function upload(form, submitter) {
	const request = new XMLHttpRequest(), box = form.querySelector(".uploading"), bar = box.querySelector("progress");
	box.hidden = false;
	request.upload.onprogress = (e) => {
		bar.value = e.lengthComputable ? (100 * e.loaded) / e.total : 0;
		box.querySelector(".muted").textContent = Math.round(bar.value) + " %";
	};
	request.onload = () => {
		if (request.status < 400) return location.assign(request.responseURL);
		document.documentElement.innerHTML = request.responseText;
		improve(document);
	};
	request.onerror = () => (delete form.dataset.sent, submitter?.removeAttribute("aria-disabled"), say("The file did not arrive. Check your connection and send it again."));
	request.open("POST", form.action);
	request.send(new FormData(form, submitter));
}

improve(document);
