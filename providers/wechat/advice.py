"""What WeChat's codes mean in sentences: for the agent who asked, and for the admin where it is the admin's to mend."""

from providers.errors import Advice, AuthFailed, gettext_noop

_WAITS = AuthFailed.default_advice.agent
_OURS = gettext_noop(
    "WeChat did not understand the request and did nothing. This is a fault of this program: tell whoever looks after "
    "it, with the code shown here."
)

# -- refusals: nothing was done

MOVING = Advice(
    gettext_noop(
        "The parcel is already on its way, so WeChat no longer lets the waybill be cancelled. Ask the courier to "
        "intercept it, or arrange a return."
    )
)
NO_WAYBILL = Advice(
    gettext_noop(
        "WeChat does not know this waybill. Nothing was changed. Check the courier and the waybill number, then ask "
        "again."
    )
)
WRONG_WAYBILL = Advice(
    gettext_noop(
        "The waybill number does not belong to this order at WeChat. Nothing was changed. Check the number and the "
        "courier, then ask again."
    )
)
NO_ORDER = Advice(
    gettext_noop(
        "WeChat does not know this order ID. Nothing was changed. Check the ID, and that the order belongs to this "
        "shop's mini program and not to another one."
    )
)
NO_COURIER = Advice(
    gettext_noop(
        "WeChat knows no courier of this code. Nothing was changed. Correct the courier of this order, such as SF or "
        "ZTO, then ask again."
    )
)
NO_BUYER = Advice(
    gettext_noop(
        "The OpenID kept with this order is not a buyer of this mini program. Nothing was changed. Import the order "
        "again with the right OpenID, or check that it is in the right shop."
    )
)
COURIER_REFUSED = Advice(
    gettext_noop(
        "The courier refused the cancellation; its own words stand beside. Some couriers take none through WeChat: "
        "phone the courier to cancel the waybill."
    )
)
NOT_CANCELLED = Advice(
    gettext_noop(
        "WeChat did not cancel the waybill, and shows it as not cancelled. Phone the courier, or ask again later."
    )
)
BAD_DATA = Advice(
    gettext_noop(
        "WeChat found something wrong with the order's IDs and did nothing. Check order ID, courier, waybill number "
        "and OpenID, then ask again."
    )
)
TOO_LONG = Advice(
    gettext_noop(
        "One of the order's IDs is longer than WeChat allows. Nothing was changed. Correct it, then ask again."
    )
)
OUR_FAULT = Advice(_OURS, gettext_noop("Keep the code and the request shown in the evidence for a report."))
NO_IDS = Advice(
    gettext_noop(
        "An order ID, a courier and a waybill number are needed, without line breaks. Nothing was sent. Complete them, "
        "then ask again."
    )
)
NO_OPENID = Advice(
    gettext_noop(
        "WeChat cancels only with the buyer's OpenID, and none is known for this order. Nothing was sent. Look the "
        "order up again with it, or import it."
    )
)
NO_LIST = Advice(gettext_noop("WeChat cannot list waybills. Import them from a file, or look one up by its IDs."))

# -- doubt: perhaps it was done

SYSTEM = Advice(
    gettext_noop(
        "WeChat had a fault while it worked on this. We look at the waybill by ourselves to see whether it was "
        "cancelled, and never ask twice."
    )
)
COURIER_FAULT = Advice(
    gettext_noop(
        "The courier's system had a fault. We look at the waybill by ourselves to see whether it was cancelled, and "
        "never ask twice."
    )
)
PERHAPS_BEFORE = Advice(
    gettext_noop(
        "WeChat could not cancel the waybill, which usually means that it is cancelled already. We look at it by "
        "ourselves to be sure."
    )
)
MISPLACED = Advice(
    gettext_noop(
        "WeChat answered with a code that belongs to another kind of call. We look at the waybill by ourselves to find "
        "out what happened."
    )
)
BUSY = Advice(
    gettext_noop("WeChat is too busy to answer. Nothing was changed; we try again by ourselves."),
    gettext_noop("WeChat reports a fault of its own. Wait a little, then check the connection again."),
)

# -- told to come back: nothing was done

DAILY_QUOTA = Advice(
    gettext_noop(
        "The mini program has used up today's calls to WeChat. Nothing was done; your request goes by itself tomorrow. "
        "If it is urgent, ask an admin."
    ),
    gettext_noop("Today's quota is used up. It can be reset a few times a month in the mini program's account."),
)
MINUTE_QUOTA = Advice(
    gettext_noop("Too many calls went to WeChat within a minute. Nothing was done; we try again by ourselves.")
)

# -- not let in: nothing was done

STALE = Advice(
    _WAITS,
    gettext_noop(
        "WeChat refused even a fresh access token. Another program probably fetches tokens for this AppID: let it use "
        "stable tokens, too. Then check the connection."
    ),
)
BAD_SECRET = Advice(
    _WAITS, gettext_noop("WeChat does not accept the AppSecret. It may have been reset: replace the keys, then check.")
)
BAD_APPID = Advice(
    _WAITS, gettext_noop("WeChat knows no such AppID. Copy it from the mini program's account and replace the keys.")
)
KEYS_EMPTY = Advice(_WAITS, gettext_noop("The AppID or the AppSecret is empty. Replace the keys, then check."))
FROZEN = Advice(_WAITS, gettext_noop("The AppSecret is frozen. Unfreeze it in the mini program's account, then check."))
NO_TOKEN = Advice(
    _WAITS,
    gettext_noop(
        "WeChat gave no access token, for the reason shown. Mend it in the mini program's account, then check."
    ),
)
WRONG_GRANT = Advice(
    _WAITS,
    gettext_noop("WeChat did not understand how a token was asked for. Check that the base URL is WeChat's own."),
)
NOT_LISTED = Advice(
    _WAITS,
    gettext_noop(
        "This server's IP address, shown in WeChat's words, may not call. Add it to the IP whitelist in the mini "
        "program's account, then check."
    ),
)
CONFIRM_IP = Advice(
    _WAITS,
    gettext_noop(
        "WeChat asks the mini program's administrator to approve this server's IP address. Approve it in WeChat, then "
        "check. Once declined, it stays blocked for an hour or longer."
    ),
)
NO_LOGISTICS = Advice(
    _WAITS,
    gettext_noop(
        "This account may not use the logistics calls. Open the logistics assistant for the mini program, and check "
        "that the AppID is the mini program's."
    ),
)
BANNED = Advice(
    _WAITS, gettext_noop("WeChat has banned this call for the account. See the notices in the mini program's account.")
)
LIMITED = Advice(
    _WAITS, gettext_noop("WeChat has limited this account. See the notices in the mini program's account.")
)
WRONG_ADDRESS = Advice(
    _WAITS, gettext_noop("No WeChat API answers at this address. Set the base URL to https://api.weixin.qq.com.")
)
TOKEN_BUSY = Advice(
    gettext_noop("WeChat's access token is being renewed and this takes too long. We try again by ourselves.")
)

# -- the cloud function

NO_CLOUD = Advice(
    _WAITS, gettext_noop("Cloud development is not opened for this mini program. Open it, or set the way to HTTPS.")
)
CLOUD_PARAMETER = Advice(
    _WAITS,
    gettext_noop(
        "WeChat misses a parameter of the cloud call. Check the cloud environment and the function's name, and try the "
        "other form of the call."
    ),
)
NO_FUNCTION = Advice(
    _WAITS, gettext_noop("The cloud environment or the function's name is empty. Fill in both, or use HTTPS.")
)
OLD_FUNCTION = Advice(
    _WAITS,
    gettext_noop(
        "The cloud function does not know what it was asked. Deploy the sample in docs/wechat-cloud-function, then "
        "check."
    ),
)
FUNCTION_DENIED = Advice(
    _WAITS,
    gettext_noop(
        "The cloud function lacks a permission. Name every logistics call in its config.json, upload it again, wait "
        "ten minutes, then check."
    ),
)
