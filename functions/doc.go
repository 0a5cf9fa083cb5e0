// Package functions holds one folder per function. See events/doc.go for which event goes where.
package functions
