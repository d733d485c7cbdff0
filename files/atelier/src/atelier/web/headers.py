"""What hub and desk say to browsers with each page."""

from __future__ import annotations

from atelier.config.models import Site


def page_headers(site: Site) -> dict[str, str]:
    """Headers of every page that hub and desk write.

    The course platforms' pages may show them in a frame, and nobody else's: neither another
    site's nor a notebook's (CSP Level 3, section 6.4.2).
    """
    ancestors = " ".join(site.frame_ancestors) or "'none'"
    return {
        "Content-Security-Policy": (
            f"frame-ancestors {ancestors}; base-uri 'self'; object-src 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        # Whoever comes next to this browser sees nothing of a person who left by going back.
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
    }
