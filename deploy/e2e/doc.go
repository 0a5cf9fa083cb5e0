// Package e2e runs the built bootstraps under AWS's own Runtime Interface Emulator, one process each, with S3, EventBridge and SQS of a
// moto server between them and the rules of template.yaml as the only wiring. run.sh installs and starts what it needs.
package e2e
