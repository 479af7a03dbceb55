// franz-go behind the contract of ../contract/README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"riverrun/tests/clients/contract"
)

var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

var assignors = map[string]kgo.GroupBalancer{
	"range":              kgo.RangeBalancer(),
	"roundrobin":         kgo.RoundRobinBalancer(),
	"cooperative-sticky": kgo.CooperativeStickyBalancer(),
}

type client struct{ bootstrap string }

func soon() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 30*time.Second)
}

func (c client) open(options ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append(options, kgo.SeedBrokers(c.bootstrap))...)
}

func (c client) Produce(request contract.Request) error {
	options := []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codecs[request.Codec]),
		kgo.ProducerLinger(20 * time.Millisecond),
	}
	if !request.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	producer, err := c.open(options...)
	if err != nil {
		return err
	}
	defer producer.Close()
	records := make([]*kgo.Record, len(request.Records))
	for i, given := range request.Records {
		records[i] = &kgo.Record{
			Topic:     request.Topic,
			Partition: given.Partition,
			Key:       contract.Data(given.Key),
			Value:     contract.Data(given.Value),
		}
		for _, header := range given.Headers {
			records[i].Headers = append(records[i].Headers, kgo.RecordHeader{Key: header[0], Value: []byte(header[1])})
		}
		if given.Timestamp != 0 {
			records[i].Timestamp = time.UnixMilli(given.Timestamp)
		}
	}
	ctx, cancel := soon()
	defer cancel()
	return producer.ProduceSync(ctx, records...).FirstErr()
}

func (c client) Fetch(request contract.Request) ([][]contract.Record, error) {
	place := func(offset int64) map[string]map[int32]kgo.EpochOffset {
		return map[string]map[int32]kgo.EpochOffset{
			request.Topic: {request.Partition: {Epoch: -1, Offset: offset}},
		}
	}
	first := map[string]map[int32]kgo.Offset{
		request.Topic: {request.Partition: kgo.NewOffset().At(request.Reads[0][0])},
	}
	consumer, err := c.open(kgo.ConsumePartitions(first))
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	lists := [][]contract.Record{}
	for _, read := range request.Reads {
		consumer.SetOffsets(place(read[0]))
		records := []contract.Record{}
		for int64(len(records)) < read[1] {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			fetches := consumer.PollRecords(ctx, int(read[1])-len(records))
			cancel()
			if err := fetches.Err(); err != nil {
				return nil, fmt.Errorf("after %d of %d records: %w", len(records), read[1], err)
			}
			fetches.EachRecord(func(record *kgo.Record) { records = append(records, told(record)) })
		}
		lists = append(lists, records)
	}
	return lists, nil
}

func told(record *kgo.Record) contract.Record {
	headers := [][2]string{}
	for _, header := range record.Headers {
		headers = append(headers, [2]string{header.Key, string(header.Value)})
	}
	return contract.Record{
		Partition: record.Partition,
		Offset:    record.Offset,
		Key:       contract.Text(record.Key),
		Value:     contract.Text(record.Value),
		Headers:   headers,
		Timestamp: record.Timestamp.UnixMilli(),
	}
}

func (c client) Times(request contract.Request) ([]int64, error) {
	admin, err := c.open()
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	ctx, cancel := soon()
	defer cancel()
	offsets := []int64{}
	for _, timestamp := range request.Timestamps {
		listed, err := kadm.NewClient(admin).ListOffsetsAfterMilli(ctx, timestamp, request.Topic)
		if err != nil {
			return nil, err
		}
		offset, _ := listed.Lookup(request.Topic, request.Partition)
		offsets = append(offsets, offset.Offset)
	}
	return offsets, nil
}

type member struct {
	consumer *kgo.Client
	topic    string
	share    *contract.Share
	stop     context.CancelFunc
	stopped  chan struct{}
}

func (c client) Join(request contract.Request) (contract.Member, error) {
	m := &member{topic: request.Topic, share: contract.NewShare(), stopped: make(chan struct{})}
	lose := func(_ context.Context, consumer *kgo.Client, lost map[string][]int32) {
		m.share.Lose(lost[m.topic], generation(consumer))
	}
	options := []kgo.Opt{
		kgo.ConsumerGroup(request.Group),
		kgo.ConsumeTopics(request.Topic),
		kgo.Balancers(assignors[request.Assignor]),
		kgo.SessionTimeout(time.Duration(request.SessionMs) * time.Millisecond),
		kgo.HeartbeatInterval(300 * time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.FetchMaxWait(100 * time.Millisecond),
		kgo.MetadataMaxAge(time.Second),
		kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.OnPartitionsAssigned(func(_ context.Context, consumer *kgo.Client, gained map[string][]int32) {
			m.share.Gain(gained[m.topic], generation(consumer))
		}),
		kgo.OnPartitionsRevoked(lose),
		kgo.OnPartitionsLost(lose),
	}
	if request.Instance != nil {
		options = append(options, kgo.InstanceID(*request.Instance))
	}
	consumer, err := c.open(options...)
	if err != nil {
		return nil, err
	}
	m.consumer = consumer
	ctx, stop := context.WithCancel(context.Background())
	m.stop = stop
	go m.read(ctx)
	return m, nil
}

func generation(consumer *kgo.Client) int32 {
	_, generation := consumer.GroupMetadata()
	return generation
}

func (m *member) read(ctx context.Context) {
	defer close(m.stopped)
	for ctx.Err() == nil {
		fetches := m.consumer.PollFetches(ctx)
		fetches.EachError(func(_ string, _ int32, err error) {
			if ctx.Err() == nil {
				contract.Failed(err)
			}
		})
		fetches.EachRecord(func(record *kgo.Record) { m.share.HandOn(record.Partition, record.Offset, record.Value) })
		m.consumer.AllowRebalance()
	}
}

func (m *member) Commit(offsets [][2]int64) error {
	places := map[int32]kgo.EpochOffset{}
	for partition, offset := range m.share.Positions(offsets) {
		places[partition] = kgo.EpochOffset{Epoch: -1, Offset: offset}
	}
	if len(places) == 0 {
		return nil
	}
	ctx, cancel := soon()
	defer cancel()
	var failure error
	m.consumer.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{m.topic: places},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse, err error) {
			failure = err
			if err != nil {
				return
			}
			for _, topic := range response.Topics {
				for _, partition := range topic.Partitions {
					failure = errors.Join(failure, kerr.ErrorForCode(partition.ErrorCode))
				}
			}
		})
	return failure
}

func (m *member) Leave() error {
	m.stop()
	<-m.stopped
	m.consumer.CloseAllowingRebalance()
	m.share.Lose(m.share.Owned(), -1)
	return nil
}

func main() {
	contract.Serve(client{os.Args[1]}, "github.com/twmb/franz-go")
}
