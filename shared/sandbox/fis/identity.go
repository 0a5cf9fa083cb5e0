package fis

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
)

const identityOp = "GetCallerIdentity"

// identityCall tells whether the request is GetCallerIdentity of STS, which uses the query protocol.
func identityCall(r *http.Request, body []byte) bool {
	a, signed := scope(r)
	if r.Method != http.MethodPost || r.URL.Path != "/" || !signed || a.service != "sts" {
		return false
	}
	form, err := url.ParseQuery(string(body))
	return err == nil && form.Get("Action") == identityOp
}

func (s *Service) serveIdentity(w http.ResponseWriter, r *http.Request, body []byte) {
	if f := s.verify(r, body, "sts"); f != nil {
		f.writeXML(w)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = fmt.Fprintf(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>arn:aws:iam::%s:user/sandbox</Arn>
    <UserId>AIDASANDBOXSANDBOXSA</UserId>
    <Account>%s</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>
`, AccountID, AccountID, w.Header().Get("X-Amzn-RequestId"))
}

// xmlCode is the failure's name in the query protocol, which has other names for errors of authentication.
func (f *failure) xmlCode() string {
	switch f.kind {
	case "UnrecognizedClientException":
		return "InvalidClientTokenId"
	case "InvalidSignatureException":
		return "SignatureDoesNotMatch"
	case "IncompleteSignatureException":
		return "IncompleteSignature"
	case "ThrottlingException":
		return "Throttling"
	}
	return f.kind
}

// writeXML sends the failure as the query protocol does.
func (f *failure) writeXML(w http.ResponseWriter) {
	type reply struct {
		XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
		Type      string   `xml:"Error>Type"`
		Code      string   `xml:"Error>Code"`
		Message   string   `xml:"Error>Message"`
		RequestID string   `xml:"RequestId"`
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(f.status)
	_ = xml.NewEncoder(w).Encode(reply{Type: "Sender", Code: f.xmlCode(), Message: f.message, RequestID: w.Header().Get("X-Amzn-RequestId")})
}
