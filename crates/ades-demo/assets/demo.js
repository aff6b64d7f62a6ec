// What HTML cannot do: the progress of an upload, the stamp on a page, and a page that waits.
// Everything else works without this script.
"use strict";

// A page that waits loads itself again when its job has gone on.
const main = document.querySelector("main[data-state]");
if (main) {
  const address = location.pathname + "/state";
  const look = async () => {
    try {
      const answer = await fetch(address, { cache: "no-store" });
      const found = answer.ok ? await answer.json() : {};
      if (found.go) return location.assign(found.go);
      if (found.state && found.state !== main.dataset.state) return location.reload();
    } catch {
      // The server may be starting again.
    }
    setTimeout(look, 2000);
  };
  setTimeout(look, 1500);
}

// Times are shown in the visitor's time zone.
for (const time of document.querySelectorAll("time[datetime]")) {
  const date = new Date(time.dateTime);
  time.textContent = date.toLocaleTimeString(document.documentElement.lang, { timeStyle: "short" });
}

// An upload shows how far it is. Files can be dropped on its card.
for (const form of document.querySelectorAll("form.upload")) {
  const input = form.querySelector("input[type=file]");
  for (const kind of ["dragover", "dragleave", "drop"]) {
    form.addEventListener(kind, event => {
      event.preventDefault();
      form.classList.toggle("over", kind === "dragover");
      if (kind === "drop") input.files = event.dataTransfer.files;
    });
  }
  form.addEventListener("submit", event => {
    event.preventDefault();
    const label = document.createElement("label");
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = 0;
    label.append(form.dataset.uploading, bar);
    form.append(label);
    form.querySelector("button").disabled = true;
    const request = new XMLHttpRequest();
    request.upload.onprogress = sent => { bar.value = sent.loaded / sent.total; };
    request.onload = () => {
      if (request.status === 200) return location.assign(request.responseURL);
      // The page of a problem has no address of its own.
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      document.body.replaceWith(page.body);
      document.title = page.title;
    };
    request.onerror = () => form.submit();
    request.open("POST", form.action);
    request.send(new FormData(form));
  });
}

// A click on a page puts the stamp there; the arrow keys move it.
const pages = document.querySelector(".pages[data-stamp]");
const fields = document.querySelector("form.choice");
if (pages && fields && fields.elements.stamp) {
  const [width, height] = pages.dataset.stamp.split(" ").map(Number);
  const { stamp: place, page, left, bottom } = fields.elements;
  const stamp = document.createElement("button");
  stamp.type = "button";
  stamp.className = "stamp";
  stamp.setAttribute("aria-label", pages.dataset.label);
  const margin = 36;

  const show = () => {
    const figure = pages.querySelector(`[data-page="${page.value}"]`);
    if (place.value === "none" || !figure) return stamp.remove();
    const [w, h] = [Number(figure.dataset.width), Number(figure.dataset.height)];
    if (place.value !== "here") {
      left.value = place.value.endsWith("right") ? w - width - margin : margin;
      bottom.value = place.value.startsWith("top") ? h - height - margin : margin;
    }
    left.value = Math.max(0, Math.min(w - width, Number(left.value)));
    bottom.value = Math.max(0, Math.min(h - height, Number(bottom.value)));
    const share = (part, whole) => `${100 * part / whole}%`;
    stamp.style.left = share(left.value, w);
    stamp.style.bottom = share(bottom.value, h);
    stamp.style.width = share(width, w);
    stamp.style.height = share(height, h);
    if (stamp.parentElement !== figure) figure.append(stamp);
  };
  pages.addEventListener("click", event => {
    const figure = event.target.closest("figure");
    if (!figure || event.target === stamp) return;
    const box = figure.getBoundingClientRect();
    const scale = Number(figure.dataset.width) / box.width;
    place.value = "here";
    page.value = figure.dataset.page;
    left.value = (event.clientX - box.left) * scale - width / 2;
    bottom.value = (box.bottom - event.clientY) * scale - height / 2;
    show();
    stamp.focus({ preventScroll: true });
  });
  stamp.addEventListener("keydown", event => {
    const step = { ArrowLeft: [-6, 0], ArrowRight: [6, 0], ArrowUp: [0, 6], ArrowDown: [0, -6] }[event.key];
    if (!step) return;
    event.preventDefault();
    place.value = "here";
    left.value = Number(left.value) + step[0];
    bottom.value = Number(bottom.value) + step[1];
    show();
  });
  place.addEventListener("change", show);
  page.addEventListener("change", show);
  show();
}
