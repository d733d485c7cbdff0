"""JupyterLab as a learner uses it: run the cells, read what they print, save."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

KERNEL_MS = 120_000


class Notebook:
    """The notebook that is open in a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")

    def ready(self) -> None:
        """Wait until the notebook is shown and its kernel waits for work."""
        expect(self.panel).to_be_visible(timeout=KERNEL_MS)
        self._idle()

    def _idle(self) -> None:
        # The status bar: the mark beside the kernel's name says "idle" before there is a kernel.
        expect(self.page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=KERNEL_MS)

    def menu(self, *words: str) -> None:
        """Choose an entry of the menu bar, e.g. "Run", "Run All Cells"."""
        top, *entries = words
        bar = self.page.locator(".lm-MenuBar-itemLabel")
        bar.filter(has_text=re.compile(f"^{top}$")).click()
        for entry in entries:
            label = self.page.locator(".lm-Menu-itemLabel")
            label.filter(has_text=re.compile(f"^{entry}$")).click()

    def run_all(self) -> None:
        """Run all cells and wait for the last one."""
        self.menu("Run", "Run All Cells")
        last = self.panel.locator(".jp-CodeCell").last.locator(".jp-InputPrompt")
        expect(last).to_have_text(re.compile(r"\[\d+\]:"), timeout=KERNEL_MS)
        self._idle()

    def outputs(self) -> str:
        """Return the text of all outputs."""
        return "\n".join(self.panel.locator(".jp-OutputArea-output").all_inner_texts())

    def save(self) -> None:
        """Save by the keyboard, and wait until the tab has lost its mark of unsaved work."""
        self.panel.locator(".jp-Cell").first.click()
        self.page.keyboard.press("Control+s")
        tab = self.page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab.lm-mod-current")
        expect(tab).not_to_have_class(re.compile("jp-mod-dirty"), timeout=30_000)
