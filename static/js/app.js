// Listeners on the document, bound by data- attributes: fragments swapped in later need nothing.
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const typing = (node) => node.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

  // -- Said aloud: polite by default, at once for trouble
  const announce = (text, now = false) => {
    const region = document.getElementById(now ? "say-now" : "say");
    if (!region || !text) return;
    region.textContent = "";
    setTimeout(() => { region.textContent = text; }, 50);
  };

  // -- Copy buttons
  const copy = async (button) => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch { // no clipboard on plain http: the old way
      const field = document.createElement("textarea");
      field.value = button.dataset.copy;
      field.className = "sr";
      (button.closest("dialog") || document.body).append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      button.focus();
    }
    button.dataset.copied = "";
    announce(document.body.dataset.wordCopied);
    setTimeout(() => delete button.dataset.copied, 1500);
  };

  const store = (name, value) => { // "" forgets; without storage a choice lasts as long as the page
    try { value ? localStorage.setItem(name, value) : localStorage.removeItem(name); } catch { /* forbidden */ }
  };
  const stored = (name) => { try { return localStorage.getItem(name) || ""; } catch { return ""; } };

  // -- Theme: "" follows the system
  const setTheme = (theme) => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    store("theme", theme);
  };
  const showTheme = () => $$("[data-theme-choice]").forEach((select) => { select.value = document.documentElement.dataset.theme || ""; });

  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    let found;
    if ((found = at("[data-copy]"))) copy(found);
    else if ((found = at("[data-open]"))) document.getElementById(found.dataset.open)?.showModal();
    else if ((found = at("[data-close]"))) { event.preventDefault(); found.closest("dialog")?.close("no"); }
    else if ((found = at("[data-dismiss]"))) found.closest("[data-closable]")?.remove();
    else if (at("[data-print]")) window.print();
    else if (event.target.matches("dialog[open]") && event.detail) { // on the backdrop
      const box = event.target.getBoundingClientRect();
      const outside = event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
      if (outside) event.target.close("no");
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-theme-choice]")) setTheme(event.target.value);
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
    if (event.target.matches("[data-keys-switch]")) store("keys", event.target.checked ? "" : "off");
  });

  // -- Ask first, send once. Capturing, so that this comes before htmx.
  const asked = new WeakSet();
  const ask = (form, button, words) => {
    const dialog = document.getElementById("confirm");
    $("h2", dialog).textContent = words.confirmTitle || button?.textContent.trim() || "";
    $("p", dialog).textContent = words.confirm;
    const [yes, no] = [$("[value=yes]", dialog), $("[value=no]", dialog)];
    yes.textContent = words.confirmYes || button?.textContent.trim();
    no.textContent = words.confirmNo || no.dataset.word;
    yes.className = `button ${words.confirmTone === "danger" ? "danger" : "primary"}`;
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => {
      if (dialog.returnValue !== "yes") { button?.focus(); return; }
      asked.add(form);
      form.requestSubmit(button);
    }, { once: true });
    dialog.showModal();
    no.focus();
  };
  const rest = (form, resting) => {
    if (resting) form.dataset.sent = "";
    else delete form.dataset.sent;
    $$("button:not([type=button])", form).forEach((button) => {
      if (!resting) button.removeAttribute("aria-busy");
      else if (button === form.lastButton) button.setAttribute("aria-busy", "true");
    });
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" && !form.hasAttribute("hx-post")) return;
    if ("sent" in form.dataset) { event.preventDefault(); event.stopImmediatePropagation(); return; }
    const words = event.submitter?.dataset.confirm ? event.submitter.dataset : form.dataset;
    if (words.confirm && !asked.has(form) && document.getElementById("confirm")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      ask(form, event.submitter, words);
      return;
    }
    asked.delete(form);
    form.lastButton = event.submitter;
    setTimeout(() => { // after the form's data were taken
      if (event.defaultPrevented && !form.hasAttribute("hx-post")) return;
      rest(form, true);
      if (form.hasAttribute("data-download")) setTimeout(() => rest(form, false), 2000);
    });
  }, true);
  document.addEventListener("htmx:afterRequest", (event) => { if (event.target.matches?.("form")) rest(event.target, false); });
  window.addEventListener("pageshow", () => $$("form[data-sent]").forEach((form) => rest(form, false)));

  // -- Keys
  let going = 0;
  const rows = () => $$("[data-list] [data-row]").filter((row) => row.offsetParent !== null);
  const step = (by) => {
    const all = rows();
    if (!all.length) return;
    const here = all.findIndex((row) => row.contains(document.activeElement) || "here" in row.dataset);
    const next = all[Math.max(0, Math.min(all.length - 1, here < 0 ? (by > 0 ? 0 : all.length - 1) : here + by))];
    all.forEach((row) => delete row.dataset.here);
    next.dataset.here = "";
    ($("[data-main]", next) || $("a", next))?.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || $("dialog[open]")) return;
    if (event.key === "Escape" && event.target.id === "q") { event.target.blur(); return; }
    if (typing(event.target) || stored("keys") === "off") return;
    const key = event.key;
    if (Date.now() - going < 1200 && key !== "g") {
      going = 0;
      const link = $(`[data-go="${CSS.escape(key)}"]`);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    const acts = {
      "/": () => { const box = document.getElementById("q"); box?.focus(); box?.select(); },
      "?": () => document.getElementById("keys")?.showModal(),
      g: () => { going = Date.now(); },
      j: () => step(1),
      k: () => step(-1),
      x: () => $("input[type=checkbox]:not(:disabled)", event.target.closest?.("[data-row]") || $("[data-here]") || document.createElement("i"))?.click(),
      Enter: () => $("[data-here] [data-main]")?.click(),
    };
    if (!Object.hasOwn(acts, key) || (key === "Enter" && event.target !== document.body)) return;
    event.preventDefault();
    acts[key]();
  });
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.("[data-row]");
    $$("[data-here]").forEach((one) => { if (one !== row) delete one.dataset.here; });
    if (row) row.dataset.here = "";
  });

  // -- Relative times count on in the server's words
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "always" });
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const tick = () => $$("time[data-when]").forEach((time) => {
    const gap = (new Date(time.dateTime) - Date.now()) / 1000;
    const found = Math.abs(gap) < 7 * 86400 && units.find(([, size]) => Math.abs(gap) >= size);
    if (!found) return;
    const text = words.format(Math.trunc(gap / found[1]), found[0]);
    if (time.textContent !== text) time.textContent = text;
  });
  setInterval(() => { if (!document.hidden) tick(); }, 10000);

  // -- On a phone the rail and the tabs are strips: where one is must be in sight
  const showHere = (root) => $$(":is(.nav, .tabs) > [aria-current]", root).forEach((here) => {
    const strip = here.parentElement;
    strip.scrollLeft = here.offsetLeft - strip.offsetLeft - (strip.clientWidth - here.offsetWidth) / 2;
  });

  // -- What a page or a swapped fragment brings along
  const settle = (root) => {
    $$(".list", root).concat(root.matches?.(".list") ? [root] : []).forEach((table) => {
      table.setAttribute("role", "table"); // display: grid on a narrow screen takes the roles away
      $$("thead, tbody", table).forEach((node) => node.setAttribute("role", "rowgroup"));
      $$("tr", table).forEach((node) => node.setAttribute("role", "row"));
      $$("td", table).forEach((node) => node.setAttribute("role", "cell"));
      $$("th", table).forEach((node) => node.setAttribute("role", node.scope === "row" ? "rowheader" : "columnheader"));
    });
    showHere(root);
    const said = (name) => root.matches?.(`[${name}]`) ? root : $(`[${name}]`, root);
    if (root !== document) {
      announce(said("data-announce")?.dataset.announce);
      announce(said("data-announce-now")?.dataset.announceNow, true);
    }
    said("data-errors")?.focus();
  };
  document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) settle(event.target); });
  const trouble = () => announce(document.body.dataset.wordTrouble, true);
  document.addEventListener("htmx:sendError", trouble);
  document.addEventListener("htmx:timeout", trouble);
  window.addEventListener("beforeprint", () => $$("details").forEach((one) => { one.open = true; }));
  showTheme();
  settle(document);
  $$("[data-keys-switch]").forEach((box) => { box.checked = stored("keys") !== "off"; });
  setInterval(() => $$("[data-fades]:not(:hover, :focus-within)").forEach((one) => one.remove()), 10000);
})();
