package cfg

import (
	"context"
	"errors"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

// EnvCredentials reads credentials from the environment at every call: the SDK's names (TENCENTCLOUD_SECRET_ID,
// TENCENTCLOUD_SECRET_KEY, TENCENTCLOUD_TOKEN) and those that SCF sets anew at each invocation
// (TENCENTCLOUD_SECRETID, TENCENTCLOUD_SECRETKEY, TENCENTCLOUD_SESSIONTOKEN), which the SDK's own chain does not know.
// A set is used only as a whole; SCF's goes first, for nobody can set those names by hand.
func EnvCredentials(getenv func(string) string) func(ctx context.Context) (driver.Credentials, error) {
	return func(context.Context) (driver.Credentials, error) {
		for _, n := range [][3]string{
			{"TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN"},
			{"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN"},
		} {
			if id, key := getenv(n[0]), getenv(n[1]); id != "" && key != "" {
				return driver.Credentials{AccessKey: id, Secret: key, Token: getenv(n[2])}, nil
			}
		}
		return driver.Credentials{}, errors.New("no Tencent credentials: set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY, or give the function a role")
	}
}
