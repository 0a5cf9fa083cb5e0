package aliyun

import (
	"net/http"
	"testing"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

func TestIdentity_AsksSTSAndNotAPrivateEndpointOfTheProduct(t *testing.T) {
	for _, c := range []struct {
		name, endpoint, host, reply, want string
		code                              driver.Code
	}{
		{"the sandbox", "http://127.0.0.1:8081", "127.0.0.1:8081", `{"AccountId":"1234567890"}`, "1234567890", driver.OK},
		{"the vendor", "", "sts.aliyuncs.com", `{"AccountId":"1234567890"}`, "1234567890", driver.OK},
		{"a private endpoint of oos", "https://oos-vpc.cn-hangzhou.aliyuncs.com", "sts.aliyuncs.com", `{"AccountId":1234567890123456}`, "1234567890123456", driver.OK},
		{"a reply without an id", "", "sts.aliyuncs.com", `{}`, "", driver.Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config(roundTripper(func(r *http.Request) (*http.Response, error) {
				if q := r.URL.Query(); r.URL.Host != c.host || q.Get("Action") != "GetCallerIdentity" || q.Get("Version") != "2015-04-01" || q.Get("SecurityToken") != testToken {
					t.Errorf("asked %s for %v", r.URL.Host, q)
				}
				return answer(200, c.reply), nil
			}))
			cfg.Endpoint = c.endpoint
			id, err := Identity(t.Context(), cfg)
			if id != c.want || Classify(err, nil) != c.code {
				t.Errorf("got %q, class %q of %v", id, Classify(err, nil), err)
			}
			clean(t, err)
		})
	}
}
