// Package contract is the Go drivers' side of the contract: requests in, replies and events out.
// README.md beside this file describes it.
package contract

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// Record is a record as the harness sees it; a nil key or value is null.
type Record struct {
	Partition int32       `json:"partition"`
	Offset    int64       `json:"offset"`
	Key       *string     `json:"key"`
	Value     *string     `json:"value"`
	Headers   [][2]string `json:"headers"`
	Timestamp int64       `json:"timestamp"`
}

// Request holds the fields of all requests; Do says which of them mean something.
type Request struct {
	Do         string     `json:"do"`
	Topic      string     `json:"topic"`
	Partition  int32      `json:"partition"`
	Codec      string     `json:"codec"`
	Idempotent bool       `json:"idempotent"`
	Records    []Record   `json:"records"`
	Reads      [][2]int64 `json:"reads"`
	Timestamps []int64    `json:"timestamps"`
	Group      string     `json:"group"`
	Assignor   string     `json:"assignor"`
	Instance   *string    `json:"instance"`
	SessionMs  int        `json:"session_ms"`
	Offsets    [][2]int64 `json:"offsets"`
}

// Client does with a client library what the harness asks for.
type Client interface {
	Produce(Request) error
	Fetch(Request) ([][]Record, error)
	Times(Request) ([]int64, error)
	Join(Request) (Member, error)
}

// Member is a membership in a group. Commit takes pairs of a partition and an offset; nil means all that was handed on.
type Member interface {
	Commit(offsets [][2]int64) error
	Leave() error
}

// Serve answers requests until the input ends.
func Serve(client Client, module string) {
	var member Member
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 64<<20)
	for input.Scan() {
		var request Request
		reply := map[string]any{}
		err := json.Unmarshal(input.Bytes(), &request)
		if err == nil {
			switch request.Do {
			case "version":
				reply["version"] = version(module)
			case "produce":
				err = client.Produce(request)
			case "fetch":
				reply["reads"], err = client.Fetch(request)
			case "times":
				reply["offsets"], err = client.Times(request)
			case "join":
				member, err = client.Join(request)
			case "commit":
				err = member.Commit(request.Offsets)
			case "leave":
				err = member.Leave()
			default:
				err = fmt.Errorf("unknown request %q", request.Do)
			}
		}
		if err != nil {
			emit(map[string]any{"error": err.Error()})
		} else {
			emit(map[string]any{"reply": reply})
		}
	}
}

var output sync.Mutex

func emit(message map[string]any) {
	line, err := json.Marshal(message)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

func version(module string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == module {
				return dependency.Version
			}
		}
	}
	return "unknown"
}

// Text gives a key or value as the harness wants it.
func Text(data []byte) *string {
	if data == nil {
		return nil
	}
	text := string(data)
	return &text
}

// Data is the inverse of Text.
func Data(text *string) []byte {
	if text == nil {
		return nil
	}
	return append([]byte{}, *text...)
}

// Failed tells the harness that the member cannot go on.
func Failed(err error) {
	emit(map[string]any{"event": "failed", "error": err.Error()})
}

// Share is what a member owns, and how far it has handed records on in each of those partitions.
type Share struct {
	lock      sync.Mutex
	owned     map[int32]bool
	positions map[int32]int64
}

// NewShare gives the share of a member that owns nothing yet.
func NewShare() *Share {
	return &Share{owned: map[int32]bool{}, positions: map[int32]int64{}}
}

// Gain adds partitions and tells the harness.
func (share *Share) Gain(partitions []int32, generation int32) {
	share.lock.Lock()
	defer share.lock.Unlock()
	for _, partition := range partitions {
		share.owned[partition] = true
	}
	share.tell(generation)
}

// Lose takes partitions away and tells the harness.
func (share *Share) Lose(partitions []int32, generation int32) {
	share.lock.Lock()
	defer share.lock.Unlock()
	for _, partition := range partitions {
		delete(share.owned, partition)
		delete(share.positions, partition)
	}
	share.tell(generation)
}

// Owned lists the partitions, in order.
func (share *Share) Owned() []int32 {
	share.lock.Lock()
	defer share.lock.Unlock()
	return share.list()
}

func (share *Share) list() []int32 {
	partitions := []int32{}
	for partition := range share.owned {
		partitions = append(partitions, partition)
	}
	slices.Sort(partitions)
	return partitions
}

func (share *Share) tell(generation int32) {
	emit(map[string]any{
		"event": "owned", "partitions": share.list(), "generation": generation, "at": time.Now().UnixMicro(),
	})
}

// HandOn tells the harness of a record of an owned partition.
func (share *Share) HandOn(partition int32, offset int64, value []byte) {
	share.lock.Lock()
	defer share.lock.Unlock()
	if share.owned[partition] {
		share.positions[partition] = offset + 1
		emit(map[string]any{"event": "records", "records": [][3]any{{partition, offset, string(value)}}})
	}
}

// Positions gives what to commit: `offsets`, or the end of what was handed on.
func (share *Share) Positions(offsets [][2]int64) map[int32]int64 {
	share.lock.Lock()
	defer share.lock.Unlock()
	places := map[int32]int64{}
	if offsets == nil {
		for partition, offset := range share.positions {
			places[partition] = offset
		}
	}
	for _, pair := range offsets {
		places[int32(pair[0])] = pair[1]
	}
	return places
}
