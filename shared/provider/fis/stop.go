package fis

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/fis"
	"github.com/aws/aws-sdk-go-v2/service/fis/types"

	"github.com/firedrill/firedrill/shared/drill"
	"github.com/firedrill/firedrill/shared/provider/driver"
)

const (
	lever     = "default" // the id of the one safety lever of an account and region
	maxReason = 256
)

// Stop asks FIS to stop the experiment. One that has ended, or is stopping already, is a success.
func (d *Driver) Stop(ctx context.Context, run driver.Run, _ driver.Stop) error {
	_, err := call(ctx, d, write, "stop fis experiment "+run.ID, func(ctx context.Context) (*fis.StopExperimentOutput, error) {
		return d.fis.StopExperiment(ctx, &fis.StopExperimentInput{Id: aws.String(run.ID)})
	})
	if code := d.Code(err); code != driver.Invalid && code != driver.Conflict {
		return err
	}
	// AWS does not document the answer to a stop of an ended experiment: look.
	e, lookErr := d.get(ctx, run.ID)
	if lookErr != nil {
		return err
	}
	if phase := phaseOf(e.State); phase.Final() || phase == drill.PhaseStopping {
		return nil
	}
	return err
}

// Halt engages the safety lever: FIS stops every experiment of the account and region, other teams' included, and
// starts none until the lever is released.
func (d *Driver) Halt(ctx context.Context, why string) error {
	if why = strings.TrimSpace(why); why == "" {
		why = "halted by firedrill"
	}
	return d.setLever(ctx, types.SafetyLeverStatusInputEngaged, why, types.SafetyLeverStatusEngaged, types.SafetyLeverStatusEngaging)
}

// Release disengages the safety lever. Nothing but an explicit command calls it.
func (d *Driver) Release(ctx context.Context) error {
	return d.setLever(ctx, types.SafetyLeverStatusInputDisengaged, "released by firedrill", types.SafetyLeverStatusDisengaged)
}

// setLever moves the lever. FIS answers ConflictException when it stands there already: then its live state decides.
func (d *Driver) setLever(ctx context.Context, to types.SafetyLeverStatusInput, why string, good ...types.SafetyLeverStatus) error {
	if runes := []rune(why); len(runes) > maxReason {
		why = string(runes[:maxReason])
	}
	_, err := call(ctx, d, write, "set fis safety lever to "+string(to), func(ctx context.Context) (*fis.UpdateSafetyLeverStateOutput, error) {
		return d.fis.UpdateSafetyLeverState(ctx, &fis.UpdateSafetyLeverStateInput{
			Id: aws.String(lever), State: &types.UpdateSafetyLeverStateInput{Status: to, Reason: aws.String(why)},
		})
	})
	if d.Code(err) != driver.Conflict {
		return err
	}
	out, lookErr := call(ctx, d, read, "get fis safety lever", func(ctx context.Context) (*fis.GetSafetyLeverOutput, error) {
		return d.fis.GetSafetyLever(ctx, &fis.GetSafetyLeverInput{Id: aws.String(lever)})
	})
	if lookErr != nil || out.SafetyLever == nil || out.SafetyLever.State == nil {
		return err
	}
	for _, status := range good {
		if out.SafetyLever.State.Status == status {
			return nil
		}
	}
	return err
}
