package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/firedrill/firedrill/shared/chat"
	"github.com/firedrill/firedrill/shared/sandbox/rooms"
	"github.com/firedrill/firedrill/shared/sandbox/rooms/dingtalk"
	"github.com/firedrill/firedrill/shared/sandbox/rooms/feishu"
	"github.com/firedrill/firedrill/shared/sandbox/rooms/slack"
	"github.com/firedrill/firedrill/shared/sandbox/rooms/wecom"
)

// roomsPath is where the sandbox's chat platforms stand on its port.
const roomsPath = "/_rooms/"

// openRooms makes the chat platforms of the sandbox, and the environment that connects Firedrill to them.
func (s *system) openRooms() {
	s.rooms = map[chat.Platform]rooms.Room{}
	for _, r := range []rooms.Room{slack.New(time.Now), feishu.New(time.Now), dingtalk.New(time.Now), wecom.New(time.Now)} {
		s.rooms[r.Platform()] = r
		for name, value := range r.Env(s.boxURL + roomsPath + string(r.Platform())) {
			s.roomEnv[name] = value
		}
	}
}

// withRooms puts the chat platforms on the sandbox's port, beside the services.
func (s *system) withRooms(services http.Handler) http.Handler {
	mux := http.NewServeMux()
	for p, r := range s.rooms {
		base := roomsPath + string(p)
		mux.Handle(base+"/", http.StripPrefix(base, r.API()))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, roomsPath) {
			mux.ServeHTTP(w, r)
			return
		}
		services.ServeHTTP(w, r)
	})
}

// roomInfo is a chat platform of the sandbox, as the console lists it.
type roomInfo struct {
	Platform chat.Platform   `json:"platform"`
	People   []rooms.Person  `json:"people"`
	Channels []rooms.Channel `json:"channels"`
}

func (s *system) getRooms(w http.ResponseWriter, _ *http.Request) {
	out := []roomInfo{}
	for _, p := range chat.Platforms() {
		if r := s.rooms[p]; r != nil {
			out = append(out, roomInfo{Platform: p, People: r.People(), Channels: r.Channels()})
		}
	}
	respond(w, http.StatusOK, out)
}

// getRoom returns what a person sees of a channel.
func (s *system) getRoom(w http.ResponseWriter, r *http.Request) {
	room, err := s.roomOf(r)
	if err != nil {
		respondError(w, http.StatusNotFound, err)
		return
	}
	messages := room.Messages(r.URL.Query().Get("channel"), r.URL.Query().Get("person"))
	if messages == nil {
		messages = []rooms.Message{}
	}
	respond(w, http.StatusOK, messages)
}

func (s *system) roomOf(r *http.Request) (rooms.Room, error) {
	room := s.rooms[chat.Platform(r.PathValue("platform"))]
	if room == nil {
		return nil, fmt.Errorf("the sandbox has no chat platform %q", r.PathValue("platform"))
	}
	return room, nil
}

func (s *system) postSaying(w http.ResponseWriter, r *http.Request) {
	inRoom(s, w, r, rooms.Room.Say)
}

func (s *system) postPressing(w http.ResponseWriter, r *http.Request) {
	inRoom(s, w, r, rooms.Room.Press)
}

// inRoom lets a person of the sandbox do something. What our side answers at once comes back with it.
func inRoom[T any](s *system, w http.ResponseWriter, r *http.Request, do func(rooms.Room, context.Context, T) (rooms.Heard, error)) {
	room, err := s.roomOf(r)
	if err != nil {
		respondError(w, http.StatusNotFound, err)
		return
	}
	body, err := readAll(r)
	var what T
	if err == nil {
		err = json.Unmarshal(body, &what)
	}
	if err != nil {
		respondError(w, http.StatusBadRequest, errors.Join(errors.New("the body is not as expected"), err))
		return
	}
	heard, err := do(room, r.Context(), what)
	if err != nil {
		respondError(w, http.StatusBadRequest, err)
		return
	}
	respond(w, http.StatusOK, heard)
}
