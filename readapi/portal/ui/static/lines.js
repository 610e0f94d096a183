/* The lines of an invoice that is written: sums as the server has them, in whole numbers, rounded half away from zero. */
const all = (what, where) => where.querySelectorAll(what);
const million = 1000000n;
function decimal(text, format) {
	const group = format[1], [whole, fraction, more] = text.trim().replace("\u2212", "-").replace(/\s/g, group).split(format.at(-3));
	const groups = whole.replace("-", "").split(group), lone = groups.length === 1;
	const fine = groups.every((g, i) => /^\d{1,12}$/.test(g) && (i ? g.length === 3 : lone || g.length < 4));
	if (!fine || more !== undefined || !/^\d{1,6}$/.test(fraction ?? "0") || whole.lastIndexOf("-") > 0) return null;
	return BigInt((whole[0] === "-" ? "-" : "") + groups.join("") + (fraction ?? "").padEnd(6, "0"));
}
function round(n, d) {
	const half = (2n * (n < 0n ? -n : n) + d) / (2n * d);
	return n < 0n ? -half : half;
}
function money(n, o) {
	const digits = +o.digits, group = o.format[1] === " " ? "\u202f" : o.format[1];
	const s = String(n < 0n ? -n : n).padStart(digits + 1, "0"), cut = s.length - digits;
	const whole = s.slice(0, cut).replace(/\B(?=(\d{3})+$)/g, group);
	return (n < 0n ? "\u2212" : "") + whole + (digits ? o.format.at(-3) + s.slice(cut) : "") + "\u00a0" + o.currency;
}
function sum(box) {
	const o = box.dataset, rates = new Map(), scale = million / 10n ** BigInt(o.digits);
	let net = 0n, total = 0n;
	for (const line of all("[data-line]", box)) {
		const value = (name) => line.querySelector("[name=" + name + "]"), price = decimal(value("price").value, o.format);
		const quantity = decimal(value("quantity").value, o.format), rate = value("tax");
		const known = price !== null && quantity !== null;
		const part = known ? round(quantity * (price / scale), million) : 0n;
		line.querySelector("[data-line-net]").textContent = known ? money(part, o) : "–";
		net += part;
		const group = rates.get(rate.value) ?? { label: rate.selectedOptions[0]?.label, base: 0n };
		group.base += part;
		rates.set(rate.value, group);
	}
	all("[data-tax]", box).forEach((e) => e.remove());
	const row = box.querySelector("[data-tax-row]");
	total = net;
	for (const [rate, group] of rates) {
		const tax = round(group.base * (decimal(rate, "1,234.56") ?? 0n), 100n * million);
		total += tax;
		const copy = row.cloneNode(true);
		copy.hidden = false;
		copy.removeAttribute("data-tax-row");
		copy.dataset.tax = "";
		copy.firstElementChild.textContent = "Tax " + group.label;
		copy.lastElementChild.textContent = money(tax, o);
		row.before(copy);
	}
	box.querySelector("[data-net]").textContent = money(net, o);
	box.querySelector("[data-total]").textContent = money(total, o);
}
let added = 0;
function addLine(box) {
	const part = box.querySelector("template").content.cloneNode(true), key = "-a" + ++added;
	for (const e of all("[id], [for], [aria-describedby]", part)) for (const name of ["id", "for", "aria-describedby"]) if (e.hasAttribute(name)) e.setAttribute(name, e.getAttribute(name).replaceAll("-new", key));
	// As on the line before: a rate that nobody chose is a mistake that nobody sees.
	part.querySelector("[name=tax]").value = [...all("ol [name=tax]", box)].at(-1).value;
	box.querySelector("ol").append(part);
	sum(box);
	box.querySelector("ol > :last-child input").focus();
}

document.addEventListener("input", (e) => {
	const box = e.target.closest("[data-lines]");
	if (box) sum(box);
});
document.addEventListener("click", (e) => {
	const button = e.target.closest("[data-add-line], [data-remove-line], [data-sum]"), box = button?.closest("[data-lines]");
	if (!box) return;
	e.preventDefault();
	if ("addLine" in button.dataset) return addLine(box);
	if ("removeLine" in button.dataset && all("[data-line]", box).length > 1) button.closest("[data-line]").remove();
	sum(box);
	if (!button.isConnected) box.querySelector("[data-add-line]").focus();
});
const run = (part) => all("[data-lines]", part).forEach(sum);
document.addEventListener("part", (e) => run(e.detail));
run(document);
