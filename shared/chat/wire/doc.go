// Package wire is the HTTP that messages go out on. It connects to exactly the hosts it was told, over https, follows no redirect, uses
// no proxy, and looks at every address after the name was resolved: a name that leads inside gets no connection. It keeps to a
// rate for each destination and to Retry-After. Its errors are of type *chat.Error and hold no URL: on chat platforms a URL
// is often the credential.
package wire
