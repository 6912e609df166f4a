"""What Huawei Cloud's refusals mean to the people here: one sentence or two each, marked for translation."""

from providers.errors import Advice, gettext_noop

PARAMETER = Advice(
    gettext_noop(
        "Huawei Cloud did not accept this order ID. Check that it is complete and belongs to this shop's account, "
        "then ask again. The order was not changed."
    )
)
STATE = Advice(
    gettext_noop(
        "This order no longer awaits payment, so Huawei Cloud does not let it be cancelled. Open it again to see what "
        "it has become; a paid order is unsubscribed in the Billing Center instead."
    )
)
PAID = Advice(
    gettext_noop(
        "The customer has paid meanwhile, so this order cannot be cancelled any more. Unsubscribe from what was bought "
        "in the Billing Center to have the money returned."
    )
)
COMBINED = Advice(
    gettext_noop(
        "This order is part of a combined order, and Huawei Cloud cancels those only as a whole. Look up the combined "
        "order in the Billing Center and ask for its cancellation, if all its parts may go."
    )
)
COMBINED_NAMED = Advice(
    gettext_noop(
        "This order is part of a combined order, and Huawei Cloud cancels those only as a whole. The combined order is "
        "named at the end of Huawei Cloud's message: open it, and cancel it if all its parts may go."
    )
)
DENIED = Advice(
    gettext_noop(
        "Huawei Cloud does not let this shop's account do that. Your request waits until an administrator has mended "
        "the permissions; the order was not changed."
    ),
    gettext_noop(
        "Use keys of the customer's own account (a partner's are refused), and grant its IAM user the permissions "
        "bss:order:view and bss:order:update (identity policies call the first billing:order:view)."
    ),
)
FOREIGN = Advice(
    gettext_noop(
        "Huawei Cloud lets this shop read its own orders, but not this one: it seems to belong to another account. "
        "Check the order ID and the shop, then ask again."
    )
)
OTHER = Advice(
    gettext_noop(
        "Huawei Cloud reported trouble of its own and did not say whether the order was cancelled. We read the order "
        "to find out; if it stays unclear, give the request ID to Huawei Cloud's customer service."
    )
)
SIGNATURE = Advice(
    gettext_noop("Huawei Cloud refused this shop's keys. Your request waits and goes by itself once they are mended."),
    gettext_noop(
        "Check that the access key ID and the secret access key belong together and are enabled, then replace them. "
        "After more than five failures in a row Huawei Cloud locks a key for five minutes, so wait before trying again."
    ),
)
LOCKED = Advice(
    gettext_noop("Huawei Cloud has locked this shop's key for a few minutes. Your request waits and goes by itself."),
    gettext_noop(
        "More than five failed sign-ins in a row lock a key for five minutes. Mend the keys, wait five minutes, then "
        "check the connection once."
    ),
)
TOKEN = Advice(
    gettext_noop("Huawei Cloud refused this shop's sign-in. Your request waits and goes by itself once it is mended."),
    gettext_noop(
        "A freshly issued token was refused. Check that the IAM address and the base URL belong to the same site, and "
        "that the IAM user is enabled and belongs to the customer's own account. We try again after five minutes."
    ),
)
CLOCK = Advice(
    gettext_noop(
        "This desk's clock is off, so Huawei Cloud refuses its signature. Your request waits until it is set."
    ),
    gettext_noop(
        "Huawei Cloud accepts at most 15 minutes between its clock and ours. Set this machine's clock by a time "
        "server, then check the connection."
    ),
)
API_DENIED = Advice(
    gettext_noop("Huawei Cloud's gateway keeps this shop's user out. Your request waits until that is mended."),
    gettext_noop(
        "The IAM user is not allowed to use this interface. Look at its permissions and at the gateway's allow and "
        "deny lists, then check the connection."
    ),
)
ADDRESS = Advice(
    gettext_noop("Huawei Cloud does not accept this desk's network address. Your request waits until that is mended."),
    gettext_noop(
        "Add the public IP address of this desk to the allowed addresses of the account (IAM, Security Settings, ACL), "
        "then check the connection."
    ),
)
NO_SUCH_API = Advice(
    gettext_noop("This shop points to the wrong address at Huawei Cloud. Your request waits until that is mended."),
    gettext_noop(
        "Huawei Cloud knows no such interface at this address. Check the base URL: it must be the billing service of "
        "the site the account belongs to (international, Europe or China)."
    ),
)
NO_BACKEND = Advice(
    gettext_noop("Huawei Cloud's gateway finds no billing service behind it. Your request waits until that is mended."),
    gettext_noop(
        "Check the base URL of this shop. If it is right, report the request ID to Huawei Cloud's customer service."
    ),
)
MALFORMED = Advice(
    gettext_noop(
        "Huawei Cloud's gateway could not read the request, so nothing was changed. Ask again once; if it happens "
        "again, tell an administrator."
    ),
    gettext_noop("Something between this desk and Huawei Cloud may be altering requests: look at proxies on the way."),
)
THROTTLED = Advice(
    gettext_noop("Huawei Cloud gets too many requests from this account just now. We try again by ourselves."),
    gettext_noop("If this happens often, ask Huawei Cloud for a higher quota of the billing interfaces."),
)
GATEWAY = Advice(
    gettext_noop(
        "Huawei Cloud's gateway had trouble and may or may not have passed the request on. We read the order to find "
        "out."
    )
)
UNLISTED = Advice(
    gettext_noop(
        "Huawei Cloud refused for a reason it does not document; the order was not changed. Its own words are shown "
        "beside this: follow them, or show them to an administrator."
    )
)
NOT_FOUND = Advice(
    gettext_noop("Huawei Cloud knows no such order in this shop's account. Check the order ID and the shop.")
)
BAD_ORDER_ID = Advice(
    gettext_noop(
        "This cannot be an order ID of Huawei Cloud, so nothing was sent. An order ID has at most 64 characters and no "
        "slash; copy it from My Orders in the Billing Center."
    )
)
BAD_CURSOR = Advice(gettext_noop("The place in the list of orders was lost. Start the list again from the beginning."))
BAD_KEY = Advice(
    gettext_noop("This shop's access key cannot be used as it is stored. Your request waits until it is replaced."),
    gettext_noop("The access key ID holds blanks or characters no key has. Copy it again without anything around it."),
)
PASSWORD = Advice(
    gettext_noop("Huawei Cloud refused this shop's sign-in. Your request waits and goes by itself once it is mended."),
    gettext_noop(
        "Check account name, IAM user name and password; a HUAWEI ID cannot fetch tokens. We do not try the same "
        "ones again for five minutes, for repeated failures lock the account; replaced ones are tried at once."
    ),
)
SIGN_IN_DENIED = Advice(
    gettext_noop("Huawei Cloud does not let this shop's user sign in. Your request waits until that is mended."),
    gettext_noop(
        "The IAM user may not fetch tokens from here. Check that it is enabled and allowed programmatic access, and "
        "that the account's ACL allows this desk's IP address."
    ),
)
SIGN_IN_SETTINGS = Advice(
    gettext_noop("This shop's sign-in to Huawei Cloud is set up wrongly. Your request waits until that is mended."),
    gettext_noop("Check the IAM address, and that account, user and project names are spelt as in My Credentials."),
)
BUSY_TOKEN = Advice(
    gettext_noop("Another process is still signing in to Huawei Cloud. Nothing was sent; we try again by ourselves.")
)
