// Package slack is the chat platform Slack (https://docs.slack.dev): slash commands, mentions, direct messages and buttons in,
// messages made of blocks out.
//
// One Request URL takes everything that Slack sends: slash commands and presses as forms, events as JSON. Which of them a body is
// is read from the body alone, because the signature covers nothing else.
//
// Where Slack's pages are silent, this is what was chosen:
//   - A payload without an app id is refused once FIREDRILL_SLACK_APPS names the apps. Without that list the signature alone says
//     which app it is: every app has a signing secret of its own.
//   - A press must say which workspace the person belongs to; an event that says so is held to it. Guests from another company
//     (Slack Connect) are nobody here.
//   - Slack knows no idempotency key for messages. A post whose reply was lost and that is sent again stands there twice.
//   - An error code that is not in our table counts as temporary: better tried again and shown to a person than dropped.
package slack
