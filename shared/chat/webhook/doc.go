// Package webhook is the generic chat platform: JSON over HTTPS, signed both ways as Standard Webhooks describes
// (https://www.standardwebhooks.com). A request carries the headers webhook-id, webhook-timestamp (seconds) and
// webhook-signature; what is signed is "id.timestamp.body".
//
// Use different secrets for the two directions: whoever receives our messages must not be able to send us commands.
package webhook
