package chat

import (
	"context"
	"errors"
	"fmt"
)

// Capabilities say what a platform can do at an address: an app's bot mostly can what a group's own robot cannot.
type Capabilities struct {
	Update  bool // a posted message can be changed
	Reply   bool // a message can be answered in a thread
	Buttons bool // a press on a button comes back to us, with the token that the button carried
}

// Sender posts to one platform. It must be safe for concurrent use, must end within ctx, should not retry, and must return
// errors that hold no secret, of type *Error wherever it knows the code. Update and Reply return an error that
// wraps ErrUnsupported where Capabilities say no, and where a message is of a kind that cannot be changed or answered.
type Sender interface {
	// Post sends a new message.
	Post(ctx context.Context, to Address, m Message) (Posted, error)
	// Update replaces a message that was posted.
	Update(ctx context.Context, p Posted, m Message) (Posted, error)
	// Reply sends a message into the thread of one that was posted.
	Reply(ctx context.Context, p Posted, m Message) (Posted, error)
	// Capabilities tells what can be done at the address; it makes no call.
	Capabilities(to Address) Capabilities
}

// Chat routes messages to the senders of their platforms.
type Chat struct {
	senders  map[Platform]Sender
	fallback Sender
}

// New returns a router. A message for a platform that has no sender goes to fallback, if there is one: the local command shows there
// what would have been sent. Without it such a message is an error of code Denied.
func New(senders map[Platform]Sender, fallback Sender) *Chat {
	c := &Chat{senders: map[Platform]Sender{}, fallback: fallback}
	for p, s := range senders {
		c.senders[p] = s
	}
	return c
}

// Sender returns the address that s names and the sender for it.
func (c *Chat) Sender(s string) (Address, Sender, error) {
	a, err := ParseAddress(s)
	if err != nil {
		return Address{}, nil, &Error{Code: Invalid, Err: err}
	}
	if sender := c.senders[a.Platform]; sender != nil {
		return a, sender, nil
	}
	if c.fallback != nil {
		return a, c.fallback, nil
	}
	return Address{}, nil, &Error{Code: Denied, Err: fmt.Errorf("nothing is set up to send to %s: give this deployment the platform's credentials, or change the channel", a.Platform)}
}

// ErrUnsupported says that a platform has no such thing.
var ErrUnsupported = errors.New("the platform cannot do that")

// ErrAddress marks an address that cannot be used as it is written.
var ErrAddress = errors.New("chat address")
