// Package fis drives AWS Fault Injection Service through aws-sdk-go-v2.
//
// The plan's block:
//
//	fis:
//	  template: EXTa1b2c3d4e5f6g7      # required
//	  actionsMode: run-all             # or skip-all: resolve targets, inject nothing
//	  targets: { min: 1, max: 12 }     # bounds that a preview is held against
//	  tags: { team: checkout }         # put on the experiment besides our own
//
// A run is an experiment. Its client token is derived from the journal's root and the request's token, so that a
// start that is delivered again gives the same experiment; its tags firedrill:drill, firedrill:role and
// firedrill:root find it again. FIS finishes its rollbacks before an experiment becomes `stopped`, so a stop is
// believed only then. The package makes one attempt per call; package provider retries.
package fis
