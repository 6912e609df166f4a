"""Who asks in a campaign, and in which shops: several on each platform, so that their budgets of calls add up."""

# Two who ask, one who approves.
PEOPLE = {"agent": "agent", "agent2": "agent", "manager": "manager"}
PASSWORD = "campaign-only-password"  # noqa: S105 - of a desk that lives for minutes
SHOPS = {"huaweicloud": 3, "wechat": 3, "taobao": 3, "shoplazza": 5, "sellercenter": 8}
# How many of a hundred requests go to each platform: what the budgets of its shops allow.
SHARES = {"huaweicloud": 25, "wechat": 25, "taobao": 25, "shoplazza": 14, "sellercenter": 11}
APPROVED = "shoplazza-4"
