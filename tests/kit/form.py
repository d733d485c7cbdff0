"""What a course page does when its link is clicked, for a page that Playwright drives."""

from __future__ import annotations

POST_FORM = """([address, fields]) => {
  const form = document.createElement("form");
  Object.assign(form, {method: "post", action: address});
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement("input");
    Object.assign(input, {type: "hidden", name, value});
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}"""
"""Posts a form of hidden fields to an address, in the page it is evaluated in."""
