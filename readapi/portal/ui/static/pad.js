/* Signing by drawing. A drawing is kept as path data in a field of 600 by 180. */
const on = (type, run, where) => where.addEventListener(type, run);
function pad(box) {
	if (!box.hidden) return;
	box.hidden = false;
	const svg = box.querySelector("svg"), path = svg.querySelector("path"), field = box.querySelector("input");
	let down = false;
	const add = (e, move) => {
		const r = svg.getBoundingClientRect(), at = (v, size, most) => Math.round(Math.min(Math.max((v / size) * most, 0), most));
		if (field.value.length > 19900) return;
		field.value += move + at(e.clientX - r.left, r.width, 600) + " " + at(e.clientY - r.top, r.height, 180);
		path.setAttribute("d", field.value);
	};
	on("pointerdown", (e) => (svg.setPointerCapture(e.pointerId), (down = true), add(e, "M")), svg);
	on("pointermove", (e) => down && add(e, "L"), svg);
	on("pointerup", () => (down = false), svg);
	on("click", () => ((field.value = ""), path.setAttribute("d", "")), box.querySelector("[data-clear]"));
}

const run = (part) => part.querySelectorAll("[data-pad]").forEach(pad);
document.addEventListener("part", (e) => run(e.detail));
run(document);
