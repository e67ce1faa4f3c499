// What makes pages nicer where scripts run; everything works without it. Events are caught on the document, so that parts
// that are put in later need no more. Served under an address that changes with its content; no other script is needed.
"use strict";
(() => {
  const all = (selector, root = document) => root.querySelectorAll(selector);
  // createElement makes XHTML elements in both kinds of documents
  const make = (name, text = "", attributes = {}) => {
    const element = document.createElement(name);
    element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const size = (bytes) => {
    let unit = -1;
    for (; bytes >= 1023.5 && unit < 5; unit++) bytes /= 1024;
    return unit < 0 ? `${bytes} bytes` : `${bytes.toFixed(bytes < 9.95 ? 1 : 0)} ${"KMGTPE"[unit]}iB`;
  };

  // a word for those who listen to the page instead of looking at it
  const say = (text) => {
    let live = document.getElementById("live");
    if (!live) document.body.append((live = make("p", "", { id: "live", class: "unseen", role: "status" })));
    live.textContent = text;
  };

  // a button that copies what stands in a block of code
  const copyable = (block) => {
    if (!navigator.clipboard || block.dataset.copy === "ready") return;
    block.dataset.copy = "ready";
    const button = make("button", "Copy", { type: "button", class: "copy quiet" });
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(block.textContent);
        button.textContent = "Copied";
        say("copied");
      } catch {
        getSelection().selectAllChildren(block);
        button.textContent = "Press Ctrl+C";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    block.parentElement.append(button);
  };

  // a field for files takes what is dropped on it, and says what it has
  const list = (drop) => {
    const input = drop.querySelector("input[type=file]");
    drop.querySelector("ul")?.remove();
    const items = [...input.files].map((file) => make("li", `${file.name}, ${size(file.size)}`));
    if (items.length) {
      const names = make("ul");
      names.append(...items.slice(0, 20));
      drop.append(names);
    }
  };
  const dropped = (event) => {
    const drop = event.target instanceof Element && event.target.closest("[data-drop]");
    for (const other of all("[data-drop].over")) if (other !== drop) other.classList.remove("over");
    if (!drop || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.toggle("over", event.type === "dragover");
    if (event.type !== "drop") return;
    const input = drop.querySelector("input[type=file]");
    const files = new DataTransfer();
    for (const file of [...event.dataTransfer.files].slice(0, input.multiple ? undefined : 1)) files.items.add(file);
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  // another page in place of this one, as if it had been gone to
  const parse = (text, type) => new DOMParser().parseFromString(text, /xml/.test(type) ? "application/xhtml+xml" : "text/html");
  const show = (text, type, address) => {
    const page = parse(text, type);
    document.replaceChild(document.adoptNode(page.documentElement), document.documentElement);
    if (address) history.replaceState(null, "", address);
    ready();
    (document.querySelector(".summary") ?? document.querySelector("main"))?.focus();
    scrollTo(0, 0);
  };

  // the row below a form that says how far its files are
  const sending = (form) => {
    const bar = make("progress", "", { max: "1", value: "0" });
    const text = make("span", "0 %");
    const label = make("label", "Sending ");
    const stop = make("button", "Stop", { type: "button", class: "quiet" });
    const row = make("p", "", { class: "progress" });
    label.append(bar);
    row.append(label, " ", text, " ", stop);
    const buttons = [...all("button:not([disabled])", form)];
    buttons.forEach((button) => { button.disabled = true; });
    for (const old of all(":scope > .error", form)) old.remove();
    form.append(row);
    const over = (words) => {
      row.remove();
      buttons.forEach((button) => { button.disabled = false; });
      if (words) { say(words); form.append(make("p", words, { class: "error", role: "alert" })); }
    };
    const told = (loaded, total) => {
      bar.value = loaded / total;
      text.textContent = loaded < total ? `${Math.floor(bar.value * 100)} % of ${size(total)}` : "sent, waiting for the answer";
    };
    return { stop, over, told };
  };

  // a form with files says how far it has come
  const upload = (form, submitter) => {
    const request = new XMLHttpRequest();
    const data = new FormData(form, submitter);
    const { stop, over, told } = sending(form);
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) told(event.loaded, event.total); });
    request.addEventListener("load", () => {
      over();
      const type = request.getResponseHeader("content-type") ?? "";
      if (/html/.test(type)) show(request.responseText, type, request.responseURL);
      else location.reload();
    });
    request.addEventListener("error", () => over("The connection broke; nothing was taken."));
    request.addEventListener("abort", () => over(""));
    stop.addEventListener("click", () => request.abort());
    // a field may be called "action"
    request.open("POST", form.getAttribute("action") ?? location.href);
    request.setRequestHeader("accept", "application/xhtml+xml, text/html");
    request.send(data);
  };

  // data-tus="/tus": the file goes in pieces (tus 1.0.0). What has arrived stays there, so that the same file goes on where
  // it was: after a broken connection by itself, after the page was loaded again when it is chosen once more
  const PIECE = 8 << 20;
  const TRIES = 6;
  const base64 = (text) => btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));
  const uploadInPieces = async (form, file) => {
    const { stop, over, told } = sending(form);
    const token = form.querySelector("[name=_csrf]")?.value ?? "";
    let stopped = false;
    let request;
    stop.addEventListener("click", () => { stopped = true; request.abort(); });
    // status 0: the connection broke
    const ask = (method, url, headers = {}, body = null, from = 0) => new Promise((done) => {
      request = new XMLHttpRequest();
      request.open(method, url);
      const always = { accept: "application/json", "tus-resumable": "1.0.0", "x-csrf-token": token };
      for (const [name, value] of Object.entries({ ...always, ...headers })) request.setRequestHeader(name, value);
      request.upload.addEventListener("progress", (event) => told(from + event.loaded, file.size));
      request.addEventListener("loadend", (event) => done(event.target));
      request.send(body);
    });
    const why = (answer) => {
      try { return JSON.parse(answer.responseText).detail; } catch { return answer.statusText; }
    };
    const name = `${form.dataset.tus} ${file.name} ${file.size} ${file.lastModified}`;
    let url = localStorage.getItem(name);
    let answer = url && await ask("HEAD", url);
    if (answer && answer.status !== 200 && answer.status !== 0) url = null;
    if (!url) {
      const fields = [...new FormData(form)].filter(([field, value]) => typeof value === "string" && value && !field.startsWith("_"));
      const words = [...fields, ["filename", file.name]].map(([field, value]) => `${field} ${base64(value)}`);
      answer = await ask("POST", form.dataset.tus, { "upload-length": file.size, "upload-metadata": words.join(",") });
      if (answer.status !== 201) return over(answer.status ? `It was refused: ${why(answer)}.` : "The connection broke; nothing was taken.");
      url = answer.getResponseHeader("location");
      localStorage.setItem(name, url);
    }
    let offset = Number(answer.getResponseHeader("upload-offset") ?? 0);
    for (let failed = 0; offset < file.size && !stopped && failed < TRIES;) {
      const headers = { "upload-offset": offset, "content-type": "application/offset+octet-stream" };
      answer = await ask("PATCH", url, headers, file.slice(offset, offset + PIECE), offset);
      if (answer.status === 204) { failed = 0; offset = Number(answer.getResponseHeader("upload-offset")); continue; }
      if (stopped) break;
      if (answer.status >= 400 && ![409, 423, 503].includes(answer.status)) {
        localStorage.removeItem(name);
        return over(`It was refused: ${why(answer)}.`);
      }
      await new Promise((done) => { setTimeout(done, 500 * 2 ** failed++); });
      const there = await ask("HEAD", url);
      if (there.status === 200) { answer = there; offset = Number(there.getResponseHeader("upload-offset")); }
    }
    if (offset < file.size) return over("It is not complete. What has arrived is kept: send the same file once more to go on.");
    localStorage.removeItem(name);
    const item = /<([^>]*)>; rel="item"/.exec(answer.getResponseHeader("link") ?? "");
    location.assign(item ? item[1] : location.href);
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
    if (question && !confirm(question)) { event.preventDefault(); return; }
    // twice the same is seldom meant
    if (form.dataset.sent && Date.now() - form.dataset.sent < 2000) { event.preventDefault(); return; }
    form.dataset.sent = Date.now();
    const files = [...all("input[type=file]", form)].flatMap((input) => [...input.files]);
    if ("upload" in form.dataset && files.length) {
      event.preventDefault();
      delete form.dataset.sent;
      if (form.dataset.tus && files.length === 1) uploadInPieces(form, files[0]);
      else upload(form, event.submitter);
    }
  });
  document.addEventListener("change", (event) => {
    const drop = event.target.closest?.("[data-drop]");
    if (drop) list(drop);
  });
  for (const name of ["dragover", "dragleave", "drop"]) document.addEventListener(name, dropped);
  // a menu closes when something else is wanted
  document.addEventListener("click", (event) => {
    for (const menu of all("details.user[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of all("details.user[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  // the times here are the server's in UTC; the reader's own are a hint away
  document.addEventListener("pointerover", (event) => {
    const time = event.target.closest?.("time[datetime]");
    if (!time || time.dataset.here) return;
    time.dataset.here = "yes";
    time.title += `, here ${new Date(time.dateTime).toLocaleString()}`;
  });

  // <section id="jobs" data-refresh="5"> is fetched again every five seconds while somebody looks
  const refresh = async (element, seconds) => {
    const busy = document.hidden || element.contains(document.activeElement) && document.activeElement !== element;
    let next = seconds;
    if (!busy) {
      try {
        const answer = await fetch(location.href, { headers: { accept: "application/xhtml+xml, text/html", "x-refresh": "1" } });
        if (!answer.ok) throw new Error(answer.statusText);
        const page = parse(await answer.text(), answer.headers.get("content-type") ?? "");
        const fresh = page.getElementById(element.id);
        if (!element.isConnected || !fresh) return;
        element.classList.remove("stale");
        // a part that the user has opened stays open
        const open = [...all("details", element)].map((details) => details.open);
        all("details", fresh).forEach((details, at) => { if (at in open) details.open = open[at]; });
        element.replaceChildren(...document.adoptNode(fresh).childNodes);
        all("pre[data-copy]", element).forEach(copyable);
        if (!("refresh" in fresh.dataset)) return;
        next = Number(fresh.dataset.refresh) || seconds;
      } catch {
        element.classList.add("stale");
        next = Math.min(seconds * 4, 60);
      }
    }
    if (element.isConnected) setTimeout(refresh, next * 1000, element, seconds);
  };

  const ready = () => {
    document.documentElement.classList.add("scripted");
    all("pre[data-copy]").forEach(copyable);
    for (const element of all("[id][data-refresh]")) {
      const seconds = Math.max(Number(element.dataset.refresh) || 5, 0.2);
      setTimeout(refresh, seconds * 1000, element, seconds);
    }
    document.querySelector(".summary")?.focus();
  };
  // `defer` means nothing in XHTML
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
