from audit.admin.events import EventAdmin

__all__ = ["EventAdmin"]
