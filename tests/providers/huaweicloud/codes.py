"""Every code the documents list, and what it means: what the tests of errors and of odd answers both go by."""

from providers.errors import AuthFailed, Cause, OutcomeUnknown, RateLimited, Rejected, Unreachable

ORDER = {"order_id": "CS170926155954NO7"}
JSON = {"content-type": "application/json;charset=UTF-8"}

# status, code, what a cancel raises, what a read raises, cause
CODES = [
    (400, "CBC.0100", Rejected, Rejected, None),
    (400, "CBC.99005010", Rejected, Rejected, None),
    (400, "CBC.99000089", Rejected, Rejected, None),
    (403, "CBC.0151", AuthFailed, AuthFailed, Cause.PERMISSION),
    (500, "CBC.0999", OutcomeUnknown, Unreachable, Cause.PLATFORM),
    (401, "APIGW.0301", AuthFailed, AuthFailed, Cause.KEYS),
    (401, "APIGW.0303", AuthFailed, AuthFailed, Cause.KEYS),
    (401, "APIGW.0307", AuthFailed, AuthFailed, Cause.KEYS),
    (403, "APIGW.0302", AuthFailed, AuthFailed, Cause.PERMISSION),
    (403, "APIGW.0401", AuthFailed, AuthFailed, Cause.IP),
    (403, "APIGW.0402", AuthFailed, AuthFailed, Cause.IP),
    (404, "APIGW.0101", AuthFailed, AuthFailed, Cause.SETTINGS),
    (404, "APIGW.0103", AuthFailed, AuthFailed, Cause.SETTINGS),
    (500, "APIGW.0103", OutcomeUnknown, Unreachable, Cause.PLATFORM),
    (400, "APIGW.0201", Rejected, Rejected, None),
    (413, "APIGW.0201", Rejected, Rejected, None),
    (504, "APIGW.0201", OutcomeUnknown, Unreachable, Cause.PLATFORM),
    (429, "APIGW.0308", RateLimited, RateLimited, Cause.PLATFORM),
    (500, "APIGW.0608", OutcomeUnknown, Unreachable, Cause.PLATFORM),
    (503, "APIGW.0608", OutcomeUnknown, Unreachable, Cause.PLATFORM),
    (500, "APIGW.0705", OutcomeUnknown, Unreachable, Cause.PLATFORM),
    (503, "APIGW.0705", OutcomeUnknown, Unreachable, Cause.PLATFORM),
]
