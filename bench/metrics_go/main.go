// The same measurements as bench/metrics_bench, with the Prometheus client library for Go: updates on two threads
// against an empty loop, and scrapes of about 20,000 series. Prints "name value unit". Built from Debian's packages by
// bench/metrics_peer.py.
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sort"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	threads = 2
	updates = 500000
	rounds  = 15
	scrapes = 20
)

var values [1024]float64

// CPU time of the calling thread.
func threadNs() int64 {
	var now syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 3, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}

// From now on this thread runs on one processor.
func stayOn(processor int) {
	runtime.LockOSThread()
	mask := uint64(1) << (processor % runtime.NumCPU())
	syscall.Syscall(syscall.SYS_SCHED_SETAFFINITY, 0, 8, uintptr(unsafe.Pointer(&mask)))
}

func measure(run func()) float64 {
	means := make([]float64, rounds)
	for round := range means {
		var ready, done sync.WaitGroup
		times := make([]int64, threads)
		ready.Add(threads)
		done.Add(threads)
		for i := 0; i < threads; i++ {
			go func(i int) {
				defer done.Done()
				stayOn(i)
				ready.Done()
				ready.Wait()
				start := threadNs()
				run()
				times[i] = threadNs() - start
			}(i)
		}
		done.Wait()
		for _, ns := range times {
			means[round] += float64(ns) / updates / threads
		}
	}
	sort.Float64s(means)
	return means[rounds/2]
}

func histogram(native bool, buckets []float64, name string, labels ...string) *prometheus.HistogramVec {
	options := prometheus.HistogramOpts{Name: name, Help: name, Buckets: buckets}
	if native {
		options.NativeHistogramBucketFactor = 1.1
		options.NativeHistogramMaxBucketNumber = 160
	}
	return prometheus.NewHistogramVec(options, labels)
}

func measureUpdates() {
	for i := range values {
		values[i] = 1e-4 * float64(1+i*i%1021)
	}
	buckets := []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c", Help: "c"}, []string{"method"}).
		WithLabelValues("GET")
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "g", Help: "g"})
	classic := histogram(false, buckets, "h", "method").WithLabelValues("GET")
	both := histogram(true, buckets, "n", "method").WithLabelValues("GET")
	empty := measure(func() {
		for i := 0; i < updates; i++ {
		}
	})
	report := func(name string, run func()) {
		fmt.Printf("%s %.2f ns\n", name, measure(run)-empty)
	}
	observe := func(h prometheus.Observer) func() {
		return func() {
			for i := 0; i < updates; i++ {
				h.Observe(values[i&1023])
			}
		}
	}
	fmt.Printf("empty_loop %.2f ns\n", empty)
	report("counter_inc", func() {
		for i := 0; i < updates; i++ {
			counter.Inc()
		}
	})
	report("gauge_add", func() {
		for i := 0; i < updates; i++ {
			gauge.Add(float64(1 - 2*(i&1)))
		}
	})
	report("histogram_observe_classic", observe(classic))
	report("histogram_observe", observe(both))
}

func fill(registry *prometheus.Registry) {
	wait := histogram(true, []float64{.01, .1, .5, 1, 5, 10, 30, 60}, "write_queue_wait_seconds", "project_id")
	query := histogram(true, []float64{.01, .05, .1, .5, 1, 5, 10, 30, 60, 300}, "query_seconds", "workspace_id")
	rows := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rows_total", Help: "r"}, []string{"project_id"})
	locks := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "locks_total", Help: "l"},
		[]string{"project_id", "bucket", "table"})
	registry.MustRegister(wait, query, rows, locks)
	for i := 0; i < 20000; i++ {
		wait.WithLabelValues(fmt.Sprintf("tenant-%d", i%500)).Observe(0.001 * float64(i))
		rows.WithLabelValues(fmt.Sprintf("tenant-%d", i%500)).Inc()
		query.WithLabelValues(fmt.Sprintf("workspace-%d", i%200)).Observe(0.001 * float64(i))
		if i < 11096 {
			locks.WithLabelValues("project", "in.c-bucket", fmt.Sprintf("table-%d", i)).Inc()
		}
	}
}

func measureScrape(handler http.Handler, name, accept, encoding string) {
	best := 1e9
	size := 0
	for i := 0; i < scrapes; i++ {
		request := httptest.NewRequest("GET", "/metrics", nil)
		request.Header.Set("Accept", accept)
		request.Header.Set("Accept-Encoding", encoding)
		answer := httptest.NewRecorder()
		start := time.Now()
		handler.ServeHTTP(answer, request)
		if ms := float64(time.Since(start).Nanoseconds()) / 1e6; ms < best {
			best = ms
		}
		body, _ := io.ReadAll(answer.Body)
		size = len(body)
	}
	fmt.Printf("scrape_%s %.2f ms\nscrape_%s_bytes %d bytes\n", name, best, name, size)
}

func main() {
	measureUpdates()
	registry := prometheus.NewRegistry()
	fill(registry)
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
	measureScrape(handler, "full", "", "identity")
	measureScrape(handler, "full_gzip", "", "gzip")
	measureScrape(handler, "full_openmetrics", "application/openmetrics-text; version=0.0.1", "identity")
	measureScrape(handler, "full_protobuf",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", "identity")
}
