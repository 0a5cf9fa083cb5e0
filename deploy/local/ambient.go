package main

import (
	"os"
	"strings"
)

// dropAmbient removes everything from the environment that a cloud's SDK or tools read, so that a sandbox run cannot touch an account.
func dropAmbient() {
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		for _, prefix := range []string{"AWS_", "ALIBABA_CLOUD_", "ALIBABACLOUD_", "ALICLOUD_", "ALIYUN_", "TENCENTCLOUD_", "FIREDRILL_ENDPOINT_"} {
			if strings.HasPrefix(name, prefix) {
				_ = os.Unsetenv(name) // it fails only for an invalid name
			}
		}
	}
	_ = os.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}
