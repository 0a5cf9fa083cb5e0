package drill

// ClaimOutcome says whether the plan's claim i held, whether that is known at all, and why: one line with the claim, its
// samples or its answer. The verdict is made from the same words.
func (d *Drill) ClaimOutcome(i int) (held, known bool, why string) { return d.holds(i) }
