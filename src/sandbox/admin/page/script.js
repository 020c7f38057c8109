'use strict';
// Without this script the page is plain forms. With it, changes are fetched and applied in place.
(() => {
  const root = document.documentElement;
  const address = root.dataset.address;
  // The style shows the buttons that need this script.
  root.dataset.script = '';
  const part = (page, selector) => page.querySelector(selector);
  let tag = '';
  let polling = false;

  // Makes `old` equal to `fresh`, but keeps elements that are in both, with their focus, selection and open state.
  function morph(old, fresh) {
    for (const { name } of [...old.attributes]) {
      if (name !== 'open' && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    const ids = new Set(Array.from(fresh.children, (child) => child.id));
    for (const child of [...old.children]) {
      if (child.id && !ids.has(child.id)) child.remove();
    }
    let at = old.firstChild;
    for (const node of [...fresh.childNodes]) {
      const same = (other) => other && other.nodeName === node.nodeName && (other.id || '') === (node.id || '');
      if (node.id && !same(at) && [...old.children].some(same)) {
        while (!same(at)) at = drop(at);
      }
      if (!same(at)) {
        old.insertBefore(document.importNode(node, true), at);
        continue;
      }
      if (node.nodeType === Node.ELEMENT_NODE && polling && at.getAttribute('role') === 'alert') {
        // The error of a form stays until the next form is sent.
        at = at.nextSibling;
        continue;
      }
      if (node.nodeType !== Node.ELEMENT_NODE) {
        if (at.data !== node.data) at.data = node.data;
      } else if (!at.isEqualNode(node)) {
        morph(at, node);
      }
      at = at.nextSibling;
    }
    while (at) at = drop(at);
  }

  function drop(node) {
    const next = node.nextSibling;
    node.remove();
    return next;
  }

  async function show(response, selectors, poll) {
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    polling = poll;
    const focused = document.activeElement;
    const around = [];
    for (let node = focused; node; node = node.parentElement) if (node.id) around.push(node.id);
    for (const selector of selectors) {
      const [old, fresh] = [part(document, selector), part(page, selector)];
      if (old && fresh) morph(old, fresh);
    }
    if (focused && !focused.isConnected) {
      // The button was removed by its own action: keep the focus in its row.
      const id = around.find((name) => document.getElementById(name));
      if (id) document.getElementById(id).focus({ preventScroll: true });
    }
    tag = (response.ok && response.headers.get('ETag')) || '';
  }

  const lost = (is) => { part(document, '#lost').hidden = !is; };

  async function poll() {
    if (!document.hidden) {
      try {
        const response = await fetch(address, { headers: tag ? { 'If-None-Match': tag } : {} });
        const parts = part(document, 'main').hasAttribute('data-still') ? [] : ['main'];
        if (response.status === 200) await show(response, ['.facts', '#summary', '#tabs', ...parts], true);
        lost(false);
      } catch {
        lost(true);
      }
    }
    setTimeout(poll, 1000);
  }

  document.addEventListener('submit', async (event) => {
    const form = event.target;
    if (form.method !== 'post') return;
    event.preventDefault();
    const fields = new FormData(form, event.submitter);
    const body = form.enctype === 'multipart/form-data' ? fields : new URLSearchParams(fields);
    try {
      const response = await fetch(form.action, { method: 'POST', body });
      const shown = new URL(response.url);
      if (response.ok && shown.pathname + shown.search !== address) {
        location.assign(shown);
        return;
      }
      if (response.ok) form.reset();
      await show(response, ['#problem-', '#summary', '#tabs', 'main'], false);
      const { hash } = new URL(form.action);
      const result = hash && document.querySelector(hash);
      if (result && result.tabIndex === -1) {
        result.focus();
        result.scrollIntoView();
      }
      lost(false);
    } catch {
      lost(true);
    }
  });

  document.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-copy]');
    if (!button) return;
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).content.textContent);
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = label; }, 1500);
    } catch {
      // The browser does not allow it: the text can be selected.
    }
  });

  if (part(document, '#lost')) setTimeout(poll, 1000);
})();
