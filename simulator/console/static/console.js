// Comfort only: every page works without this script.
"use strict";

const copyButtons = (root) => {
  for (const button of root.querySelectorAll("button.copy")) {
    button.hidden = false;
    const label = button.textContent;
    button.addEventListener("click", async () => {
      const source = button.parentElement.querySelector("code, pre");
      try {
        await navigator.clipboard.writeText(source.textContent);
      } catch {
        getSelection().selectAllChildren(source);
        return;
      }
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  }
};

// A form that was sent says so, and is not sent twice.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || !button.dataset.busy) return;
  event.target.setAttribute("aria-busy", "true");
  setTimeout(() => { button.disabled = true; button.textContent = button.dataset.busy; }, 0);
});

// A page shown again from the browser's memory has its buttons back.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// "Load more" adds the next part of a list below the one that is shown.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-more]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const status = document.getElementById("more-status");
  link.setAttribute("aria-disabled", "true");
  status.textContent = link.dataset.more;
  let answer;
  try {
    answer = await fetch(link.href);
  } catch {
    answer = null;
  }
  if (!answer || !answer.ok) {
    location.assign(link.href);
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const list = document.getElementById("more-list");
  const added = [...page.querySelectorAll("#more-list > *")].map((each) => document.importNode(each, true));
  list.append(...added);
  const next = page.querySelector("a[data-more]");
  if (next) {
    link.href = next.getAttribute("href");
    link.removeAttribute("aria-disabled");
  } else {
    link.remove();
    const end = page.getElementById("more-end");
    if (end) list.after(document.importNode(end, true));
  }
  status.textContent = "";
  if (added.length) {
    const first = added[0].querySelector("summary, a, button");
    if (first) first.focus();
  }
});

// One box selects the whole list.
document.addEventListener("change", (event) => {
  if (!event.target.matches("input[data-all]")) return;
  for (const box of document.querySelectorAll(`input[name="${event.target.dataset.all}"]`)) box.checked = event.target.checked;
});

// On a narrow page the menu begins closed.
if (matchMedia("(max-width: 62rem)").matches) document.querySelector("details.menu")?.removeAttribute("open");
copyButtons(document);
