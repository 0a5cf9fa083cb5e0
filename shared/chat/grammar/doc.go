// Package grammar reads what people type after /drill. It knows the words, not the plans and drills: those are resolved by the
// caller.
//
// Phones and chat clients change what was typed: quotes become curly, hyphens long, spaces wide or unbreakable, and invisible
// characters slip in. Words are read as if none of that had happened; free text (a reason, a note, a summary) keeps what was
// written, save for what would hide or disguise it.
package grammar
