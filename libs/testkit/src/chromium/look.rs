//! How a page looks, measured: what a reader could not read or touch.

use serde_json::Value;

use super::Tab;

/// What stands beyond the right edge of the page, and is not within something that scrolls by itself.
const TOO_WIDE: &str = "(() => {
  const width = document.documentElement.clientWidth;
  const scrolls = (e) => e && (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  const wide = [...document.body.querySelectorAll('*')].filter((e) => {
    const r = e.getBoundingClientRect();
    return r.width > 1 && r.right > width + 1 && !scrolls(e);
  });
  if (document.documentElement.scrollWidth > width) wide.unshift(document.documentElement);
  return wide.map((e) => `${e.tagName} ${e.className} ${e.getBoundingClientRect().right}`).slice(0, 5).join('; ');
})()";

/// What can be touched and is smaller than 44 px in both directions, links within text apart (WCAG 2.2, 2.5.5).
const TOO_SMALL: &str = "[...document.querySelectorAll('button, .button, input:not([type=hidden], [type=checkbox]), select, summary, .pager a')]
  .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)
  .map((e) => `${e.tagName} ${e.textContent} ${e.getBoundingClientRect().height}`).join('; ')";

/// Text whose contrast with its ground is below 4.5:1 (WCAG 2.2, 1.4.3).
const LOW: &str = "(() => {
  const parse = (c) => { const [r, g, b, a = 1] = c.match(/[\\d.]+/g).map(Number); return c.startsWith('color(') ? [r * 255, g * 255, b * 255, a] : [r, g, b, a]; };
  const over = ([r, g, b, a], under) => [r, g, b].map((c, i) => c * a + under[i] * (1 - a));
  const ground = (e) => e ? over(parse(getComputedStyle(e).backgroundColor), ground(e.parentElement)) : [255, 255, 255];
  const light = (c) => { const [r, g, b] = c.map((v) => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const texts = [...document.body.querySelectorAll('*')].filter((e) => e.checkVisibility() && !e.closest('svg, .unseen, :disabled') && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
  return texts.map((e) => {
    const back = ground(e), fore = over(parse(getComputedStyle(e).color), back);
    const [a, b] = [light(fore), light(back)].sort((x, y) => y - x);
    return [(a + .05) / (b + .05), `${e.tagName}.${e.className} ${e.textContent.trim().slice(0, 20)} ${fore} on ${back}`];
  }).filter(([ratio]) => ratio < 4.5).map(([ratio, text]) => `${ratio.toFixed(2)} ${text}`).slice(0, 8).join('; ');
})()";

impl Tab<'_> {
    /// All that is wrong with the page, empty if nothing is: it is not XHTML that was taken for it, the browser complained,
    /// something is wider than the window, text has too little contrast, and on a telephone what is touched is too small.
    pub fn look(&mut self) -> String {
        let mut wrong = self.faults();
        let mut note = |what: &str, found: &Value| {
            if let Some(found) = found.as_str().filter(|found| !found.is_empty()) {
                wrong.push(format!("{what}: {found}"));
            }
        };
        let kind = self.eval("document.contentType");
        note("no XHTML", if kind == "application/xhtml+xml" { &Value::Null } else { &kind });
        note("not well-formed", &self.eval("document.querySelector('parsererror')?.textContent"));
        note("too wide", &self.eval(TOO_WIDE));
        note("too pale", &self.eval(LOW));
        if self.eval("matchMedia('(pointer: coarse)').matches") == true {
            note("too small", &self.eval(TOO_SMALL));
        }
        wrong.join("\n")
    }
}
