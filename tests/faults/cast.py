"""Who asks in a campaign, and in which shops."""

# Two who ask, one who approves, one who keeps the desk running.
PEOPLE = {"agent": "agent", "agent2": "agent", "manager": "manager", "admin": "admin"}
PASSWORD = "campaign-only-password"
PLATFORMS = ("huaweicloud", "wechat", "taobao", "shoplazza", "sellercenter")
SHOPS_EACH = 2
CALLS_PER_SECOND = 100.0
APPROVED = "shoplazza-2"
# Where a refused call means a permission that is lacking: a shop waits a quarter of an hour then.
PERMISSIONS = ("wechat",)
