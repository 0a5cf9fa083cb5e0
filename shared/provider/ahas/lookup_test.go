package ahas

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/shared/provider/driver"
)

func ids(runs []driver.Run) []string {
	var out []string
	for _, r := range runs {
		out = append(out, r.ID)
	}
	return out
}

// A list of 101 tasks has more than two of our pages; every id comes back exactly, newest first.
func TestLookup_101Tasks(t *testing.T) {
	s := newStage(t)
	var started []string
	began := s.w.Now()
	for i := range 101 {
		run, err := s.d.Start(t.Context(), s.w.Request(i, experiment(automatic)))
		if err != nil {
			t.Fatal(err)
		}
		started = append(started, run.ID)
		s.w.Advance(time.Minute)
	}
	slices.Reverse(started)
	r := s.w.Request(1, experiment(automatic))
	r.Since = began
	found, err := s.d.Lookup(t.Context(), r)
	if err != nil || !slices.Equal(ids(found), started) {
		t.Fatalf("found %d tasks, %v, want all 101 newest first", len(found), err)
	}
	if len(started[0]) != 19 {
		t.Errorf("id %s has not 19 digits: the case proves nothing", started[0])
	}
	r.Seen = started[:100]
	if found, err = s.d.Lookup(t.Context(), r); err != nil || !slices.Equal(ids(found), started[100:]) {
		t.Errorf("found %v, %v, want only the oldest", ids(found), err)
	}
	seen, err := s.d.Seen(t.Context(), r)
	if err != nil || !slices.Equal(seen, started[:newest]) {
		t.Errorf("seen %v, %v, want the newest %d", seen, err, newest)
	}
	r.Seen, r.Since = nil, s.w.Now().Add(-time.Minute)
	before := s.calls("PageableQueryExperimentTaskByExperimentId")
	found, err = s.d.Lookup(t.Context(), r)
	if err != nil || !slices.Equal(ids(found), started[:3]) { // one after Since, two within the skew
		t.Errorf("found %v, %v, want the newest three", ids(found), err)
	}
	if n := s.calls("PageableQueryExperimentTaskByExperimentId") - before; n != 1 {
		t.Errorf("%d pages were read for the newest, want 1", n)
	}
}

func TestTemplates_101Experiments(t *testing.T) {
	w := paged(t, 101, func(i int) string {
		return fmt.Sprintf(`{"ExperimentId":"%d","Name":"演练 %d","State":"READY","Permission":"7","Tags":"标签","MiniApps":["cpu"]}`, 1200000000000000000+i, i)
	}, "ExperimentList")
	d := w.driver(t, "cn-hangzhou").(*Driver)
	list, err := d.Templates(t.Context())
	if err != nil || len(list) != 101 || list[100].ID != "1200000000000000100" || list[100].Name != "演练 100" {
		t.Fatalf("%d templates, %v", len(list), err)
	}
	for _, tpl := range list {
		if tpl.Block["experiment"] != tpl.ID || d.Check(seedRequest(tpl.Block)) != nil {
			t.Errorf("block %v", tpl.Block)
		}
	}
}

func TestTemplates_LeavesOutWhatCannotBeRun(t *testing.T) {
	s := newStage(t)
	list, err := s.d.Templates(t.Context())
	if err != nil || len(list) != 5 || slices.ContainsFunc(list, func(t driver.Template) bool { return t.ID == draft }) {
		t.Errorf("%+v, %v: want five, no draft", list, err)
	}
}

// The service does not document its order: oldest first must give the same answer.
func TestLookup_PagesInAnyOrder(t *testing.T) {
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	w := paged(t, 101, func(i int) string {
		return fmt.Sprintf(`{"TaskId":"%d","StartTime":"%d","State":"FINISHED"}`, 1200000000000000000+i, at.Add(time.Duration(i)*time.Hour).UnixMilli())
	}, "ExperimentTasks")
	d := w.driver(t, "cn-hangzhou").(*Driver)
	r := seedRequest(experiment(cpuFullload))
	r.Since = at.Add(99*time.Hour + time.Minute)
	found, err := d.Lookup(t.Context(), r)
	if err != nil || !slices.Equal(ids(found), []string{"1200000000000000100", "1200000000000000099"}) {
		t.Errorf("found %v, %v", ids(found), err)
	}
	seen, err := d.Seen(t.Context(), r)
	if err != nil || len(seen) != newest || seen[0] != "1200000000000000100" {
		t.Errorf("seen %v, %v", seen, err)
	}
}

// A task that has no start time yet may be ours.
func TestLookup_TaskThatHasNotBegun(t *testing.T) {
	w := newWire(t, `{"Success":true,"Pages":1,"ExperimentTasks":[{"TaskId":"2","StartTime":1,"State":"FINISHED"},{"TaskId":"3","StartTime":0,"State":"READY"}]}`)
	r := seedRequest(experiment(cpuFullload))
	r.Since = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	found, err := w.driver(t, "cn-hangzhou").Lookup(t.Context(), r)
	if err != nil || !slices.Equal(ids(found), []string{"3"}) {
		t.Errorf("found %v, %v", ids(found), err)
	}
}

func TestLookup_EndlessListIsAnError(t *testing.T) {
	w := newWire(t, `{"Success":true,"Pages":100000,"ExperimentTasks":[{"TaskId":"2","StartTime":1}]}`)
	if _, err := w.driver(t, "cn-hangzhou").Lookup(t.Context(), seedRequest(experiment(cpuFullload))); err == nil || w.hits != maxPages {
		t.Errorf("%v after %d pages", err, w.hits)
	}
}

// What a list leaves out is believed not to be there, so that a run of ours would be given up: a hole is an error. Who began a task is
// documented as an object and may come as a text; it decides nothing.
func TestLookup_AListWithAHole(t *testing.T) {
	for reply, whole := range map[string]bool{
		`{"Success":true,"ExperimentTasks":[{"TaskId":"2","Creator":"ann","ExtInfo":"none"}]}`:                         true,
		`{"Success":true,"ExperimentTasks":[{"TaskId":"2","Creator":{"UserId":"1"},"ExtInfo":{"SchedulerConfig":7}}]}`: true,
		`{"Success":true,"ExperimentTasks":[{"TaskId":"2"},7]}`:                                                        false,
		`{"Success":true,"ExperimentTasks":[{"TaskId":"2"},{"State":"RUNNING"}]}`:                                      false,
		`{"Success":true,"ExperimentTasks":"soon"}`:                                                                    false,
		`{"Success":true,"Pages":1,"Total":2,"ExperimentTasks":[{"TaskId":"2"}]}`:                                      false,
		`{"Success":true,"Pages":2,"Total":60,"ExperimentTasks":[]}`:                                                   false,
	} {
		d := newWire(t, reply).driver(t, "cn-hangzhou")
		found, err := d.Lookup(t.Context(), seedRequest(experiment(cpuFullload)))
		if (err == nil) != whole || whole && len(found) != 1 || !whole && d.Code(err) != driver.Unavailable {
			t.Errorf("%s: found %v, %v", reply, ids(found), err)
		}
	}
}

// An activity that is left out could be an attack.
func TestObserve_ActivitiesWithAHole(t *testing.T) {
	d := newWire(t, `{"Success":true,"TaskId":"1","State":"FINISHED","Result":"SUCCESS","Activities":[7]}`).driver(t, "cn-hangzhou")
	if o, err := d.Observe(t.Context(), driver.Run{ID: "1"}); d.Code(err) != driver.Unavailable {
		t.Errorf("%+v, %v", o, err)
	}
}

// paged serves n items in pages as the request wants them.
func paged(t *testing.T, n int, item func(int) string, list string) *wire {
	t.Helper()
	w := &wire{}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("Page"))
		size, _ := strconv.Atoi(r.URL.Query().Get("Size"))
		var items []string
		for i := (page - 1) * size; i < min(page*size, n); i++ {
			items = append(items, item(i))
		}
		fmt.Fprintf(rw, `{"Success":true,"Pages":%d,"CurrentPage":%d,"PageSize":%d,"Total":%d,"%s":[%s]}`, (n+size-1)/size, page, size, n, list, strings.Join(items, ","))
	}))
	t.Cleanup(w.Close)
	return w
}
