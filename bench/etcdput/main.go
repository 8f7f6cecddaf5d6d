// Etcdput writes values to an etcd server from several connections for a while
// and prints one JSON line: writes per second and latencies in milliseconds.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

func main() {
	endpoint := flag.String("endpoint", "127.0.0.1:2379", "etcd's client address")
	clients := flag.Int("clients", 1, "connections, each with one write under way")
	seconds := flag.Float64("seconds", 2, "how long")
	size := flag.Int("size", 2048, "bytes of a value")
	flag.Parse()

	value := strings.Repeat("x", *size)
	var mu sync.Mutex
	var all []float64
	var group sync.WaitGroup
	start := make(chan struct{})
	length := time.Duration(*seconds * float64(time.Second))
	for number := 0; number < *clients; number++ {
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{*endpoint}, DialTimeout: 5 * time.Second})
		if err != nil {
			log.Fatal(err)
		}
		// The connection is made before the clock runs.
		if _, err := client.Get(context.Background(), "warm"); err != nil {
			log.Fatal(err)
		}
		group.Add(1)
		go func() {
			defer group.Done()
			defer client.Close()
			<-start
			var mine []float64
			begin := time.Now()
			for count := 0; time.Since(begin) < length; count++ {
				at := time.Now()
				key := fmt.Sprintf("/registry/configmaps/default/%d-%d-%d", os.Getpid(), number, count)
				if _, err := client.Put(context.Background(), key, value); err != nil {
					log.Fatal(err)
				}
				mine = append(mine, float64(time.Since(at).Microseconds())/1000)
			}
			mu.Lock()
			all = append(all, mine...)
			mu.Unlock()
		}()
	}
	close(start)
	group.Wait()
	sort.Float64s(all)
	at := func(part float64) float64 { return all[min(len(all)-1, int(part*float64(len(all))))] }
	json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"per_second": float64(len(all)) / *seconds, "p50_ms": at(0.50), "p99_ms": at(0.99),
	})
}
