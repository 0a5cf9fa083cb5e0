//go:build !race

package simulate

const leastSeeds = 2000
