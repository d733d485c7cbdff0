"""Response headers of all pages."""

from __future__ import annotations

from atelier.config.models import Site


def page_headers(site: Site) -> dict[str, str]:
    """Headers of every page of hub and desk.

    Only the course platforms' pages may show them in a frame (CSP Level 3, section 6.4.2).
    """
    ancestors = " ".join(site.frame_ancestors) or "'none'"
    return {
        "Content-Security-Policy": (
            f"frame-ancestors {ancestors}; base-uri 'self'; object-src 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        # After a sign-out, the browser's Back button must not show the page again.
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
    }
