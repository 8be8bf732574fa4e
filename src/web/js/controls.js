// Radio groups and tabs by keyboard, as the ARIA practices describe them: one stop for Tab, arrows move and choose.

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

// Which index a key leads to, or null if the key is not for us.
export function keyTarget(key, index, length) {
	if (key === "Home") {
		return 0;
	}
	if (key === "End") {
		return length - 1;
	}
	return Object.hasOwn(STEPS, key) ? (index + STEPS[key] + length) % length : null;
}

function bindKeys(group, items, choose) {
	group.addEventListener("keydown", (event) => {
		const target = keyTarget(event.key, items.indexOf(document.activeElement), items.length);
		if (target !== null && !event.ctrlKey && !event.altKey && !event.metaKey) {
			event.preventDefault();
			choose(items[target]);
			items[target].focus();
		}
	});
}

function mark(items, chosen, attribute) {
	for (const item of items) {
		item.setAttribute(attribute, String(item === chosen));
		item.tabIndex = item === chosen ? 0 : -1;
	}
}

// Buttons with data-value inside an element of role radiogroup.
export function bindRadios(group, value, onChoose) {
	const items = [...group.querySelectorAll("[data-value]")];
	const choose = (item) => {
		mark(items, item, "aria-checked");
		onChoose(item.dataset.value);
	};
	mark(items, items.find((item) => item.dataset.value === value) || items[0], "aria-checked");
	for (const item of items) {
		item.addEventListener("click", () => choose(item));
	}
	bindKeys(group, items, choose);
}

// Buttons of role tab, each with aria-controls. The chosen tab is kept in the address (#apis), so that it survives a reload
// and can be linked to.
export function bindTabs(list, onChoose) {
	const tabs = [...list.querySelectorAll("[role=tab]")];
	const nameOf = (tab) => tab.dataset.tab;
	const show = (chosen) => {
		mark(tabs, chosen, "aria-selected");
		for (const tab of tabs) {
			document.getElementById(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
		}
		onChoose(nameOf(chosen));
	};
	const choose = (tab) => {
		history.replaceState(null, "", `#${nameOf(tab)}`);
		show(tab);
	};
	const fromAddress = () => tabs.find((tab) => nameOf(tab) === location.hash.slice(1)) || tabs[0];
	for (const tab of tabs) {
		tab.addEventListener("click", () => choose(tab));
	}
	bindKeys(list, tabs, choose);
	window.addEventListener("hashchange", () => show(fromAddress()));
	show(fromAddress());
}
