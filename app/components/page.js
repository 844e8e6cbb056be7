(() => {
  // Before the first paint: the theme that the switch has remembered.
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.style.colorScheme = theme;
  } catch {}

  // <button data-copy> copies the text of the <pre> beside it.
  addEventListener("click", async ({ target }) => {
    const button = target instanceof Element && target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.parentElement.querySelector("pre").textContent);
    button.dataset.copy = button.dataset.copy || button.textContent;
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = button.dataset.copy), 1500);
  });

  // <button data-press="add"> submits its form, with "add" in the field `pressed`.
  addEventListener("click", ({ target }) => {
    const button = target instanceof Element && target.closest("[data-press]");
    if (!button?.form) return;
    const { pressed } = button.form.elements;
    pressed.value = button.dataset.press;
    button.form.requestSubmit();
    pressed.value = "";
  });

  // Selects a character in a field. The focus after that scrolls to it.
  globalThis.appShowAt = (id, at) => {
    const field = document.getElementById(id);
    field?.setSelectionRange(at, at + 1);
    field?.blur();
    field?.focus();
  };

  // <app-reads> lists what a script can read, and looks for a token in it.
  const JWT = /eyJ[\w-]{8,}\.[\w-]{8,}/;
  const stores = {
    localStorage: () => Object.entries(localStorage),
    sessionStorage: () => Object.entries(sessionStorage),
    "document.cookie": () => document.cookie.split("; ").filter(Boolean).map((c) => c.split("=")),
  };
  const element = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  customElements.define(
    "app-reads",
    class extends HTMLElement {
      connectedCallback() {
        this.closest("details").ontoggle = () => this.look();
        this.look();
      }
      look() {
        const list = document.createElement("dl");
        let found = 0;
        for (const [name, read] of Object.entries(stores)) {
          let entries = [];
          try {
            entries = read();
          } catch {}
          found += entries.filter((entry) => JWT.test(entry.join())).length;
          const shown = entries.map(([key, value]) => `${key}: ${String(value).slice(0, 60) || "(empty)"}`);
          list.append(element("dt", name));
          for (const line of shown.length ? shown : ["nothing"]) list.append(element("dd", line));
        }
        const verdict = element("p", found ? `Found: ${found} tokens` : "Found: no access, refresh or ID token");
        verdict.className = found ? "badge bad" : "badge good";
        this.replaceChildren(verdict, list);
      }
    },
  );

  // <app-countdown data-until data-over> shows how long it is until a time, and after it the text.
  // It counts seconds; minutes for a reader who wants less motion. A screen reader finds the time
  // where it is, and is not interrupted by it.
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const pad = (number) => String(number).padStart(2, "0");
  customElements.define(
    "app-countdown",
    class extends HTMLElement {
      static observedAttributes = ["data-until"];
      connectedCallback() {
        this.setAttribute("role", "timer");
        this.tick();
      }
      disconnectedCallback() {
        clearTimeout(this.timer);
      }
      attributeChangedCallback() {
        if (this.isConnected) this.tick();
      }
      tick() {
        clearTimeout(this.timer);
        const left = Math.ceil((Date.parse(this.dataset.until) - Date.now()) / 1000);
        this.textContent = left > 0 ? this.words(left) : this.dataset.over;
        const step = calm.matches || left > 3600 ? 60 : 1;
        if (left > 0) this.timer = setTimeout(() => this.tick(), (left % step || step) * 1000);
      }
      words(left) {
        const hours = Math.floor(left / 3600);
        const minutes = Math.floor(left / 60) % 60;
        if (hours >= 48) return `${Math.floor(hours / 24)} days left`;
        if (hours) return `${hours} h ${pad(minutes)} min left`;
        return calm.matches ? `${Math.ceil(left / 60)} min left` : `${minutes}:${pad(left % 60)} left`;
      }
    },
  );
})();
