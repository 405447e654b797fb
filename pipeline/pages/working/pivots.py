"""How a shared value is looked up on the command line."""

from __future__ import annotations

OPTION_OF_KIND = {
    "ip": "--ip", "ip_prefix": "--ip", "signup_ip": "--ip", "payment": "--card", "device": "--device", "email": "--mailbox", "phone": "--phone", "stack": "--ua",
    "rewritten_client": "--ja4", "handoff": "--session", "fanout": "--template", "prompt": "--template", "skeleton": "--template", "template": "--template", "system": "--template",
}  # fmt: skip
"""The option of `stillhunt pivot` that takes the keys of a kind of evidence."""
