// Package rpc is the server side of Alibaba Cloud's RPC style, shared by the sandbox's ahas and oos services: it
// parses a request from query and form, checks its signature as the vendor does, and writes replies and errors as JSON
// or XML.
//
// Two signatures are accepted: HMAC-SHA1 over the sorted parameters (SignatureVersion 1.0), and ACS3-HMAC-SHA256 in
// the Authorization header, which newer clients send.
package rpc
