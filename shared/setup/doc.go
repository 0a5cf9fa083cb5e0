// Package setup reads a function's environment once, at its start, and opens what every function needs: the journal, the bus and
// the dead-letter target. Every mistake is listed at once, and no value is ever shown.
//
//	variable                        means
//	FIREDRILL_JOURNAL               dir:///path or s3://bucket/prefix?region=
//	FIREDRILL_BUS                   http(s)://host/path of any CloudEvents sink, or eventbridge://name?region=
//	FIREDRILL_DEPLOYMENT            part of every event's source: /firedrill/<deployment>/<function>
//	FIREDRILL_MODE                  LIVE, the default, or SANDBOX
//	FIREDRILL_CATALOG               path of drills.yaml, or s3://bucket/folder/drills.yaml?region=: every function reads it; abort can do without
//	FIREDRILL_DEADLETTER            URL of an SQS queue, or dir:///path: where refused payloads go
//	FIREDRILL_ENDPOINT_FIS          (AHAS, OOS, CFG) another address of a service; in SANDBOX the only one
//	FIREDRILL_WEBHOOK_SECRETS       secrets that commands to chatops are signed with, the newest first
//	FIREDRILL_WEBHOOK_TENANTS       tenants whose people may send those commands; all that the sender names, where it is missing
//	FIREDRILL_WEBHOOK_OUT_SECRETS   secrets that notify signs with
//	FIREDRILL_CHAT_KEYS             keys of buttons and links, the same for chatops and notify
//	FIREDRILL_SLACK_*               (FEISHU, DINGTALK, WECOM) a chat platform: docs/chat has a page for each
//	FIREDRILL_ALARM_TOKENS          tokens that monitors present to abort
//	FIREDRILL_BUS_TOKENS            tokens that a caller of POST / must present, or "none" where the platform checks callers
//	FIREDRILL_OBSERVE_EVERY         how often poll looks within a minute, 15s by default, 0s for once
//	FIREDRILL_LINK                  page of a drill, with {drill} for its id
//	FIREDRILL_LOG_LEVEL             debug, info (the default), warn or error
//	FIREDRILL_ADDR                  address to listen on, outside of a function runtime (PORT does the same)
//
// Lists are separated by commas, so that a secret can be replaced without a gap. Credentials of AWS come from AWS_ACCESS_KEY_ID,
// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, as Lambda sets them; those of the other clouds are read by package drivers. The
// environment is read once, but credentials at every call, for some platforms replace them.
//
// A function must not be given what it does not need: the secrets of one are no variables of the other.
package setup
