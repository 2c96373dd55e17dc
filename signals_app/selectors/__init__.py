from signals_app.selectors.stories import Story, story

__all__ = ["Story", "story"]
