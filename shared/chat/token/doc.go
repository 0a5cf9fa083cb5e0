// Package token makes what Firedrill gives out and later trusts: tokens of buttons, links to reports, and sealed reply URLs. All come
// from one list of keys, the newest first, so that keys can be changed while old messages still work; each purpose has a key of
// its own, derived by HKDF.
package token
