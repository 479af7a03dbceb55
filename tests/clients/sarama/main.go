// sarama behind the contract of ../contract/README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"riverrun/tests/clients/contract"
)

var codecs = map[string]sarama.CompressionCodec{
	"none":   sarama.CompressionNone,
	"gzip":   sarama.CompressionGZIP,
	"snappy": sarama.CompressionSnappy,
	"lz4":    sarama.CompressionLZ4,
	"zstd":   sarama.CompressionZSTD,
}

var assignors = map[string]func() sarama.BalanceStrategy{
	"range":              sarama.NewBalanceStrategyRange,
	"roundrobin":         sarama.NewBalanceStrategyRoundRobin,
	"cooperative-sticky": sarama.NewBalanceStrategyCooperativeSticky,
}

type client struct{ brokers []string }

func config() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Metadata.RefreshFrequency = time.Second
	return config
}

func (c client) Produce(request contract.Request) error {
	config := config()
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = true
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.Compression = codecs[request.Codec]
	config.Producer.Idempotent = request.Idempotent
	config.Producer.Flush.Frequency = 20 * time.Millisecond
	config.Net.MaxOpenRequests = 1
	producer, err := sarama.NewSyncProducer(c.brokers, config)
	if err != nil {
		return err
	}
	messages := make([]*sarama.ProducerMessage, len(request.Records))
	for i, given := range request.Records {
		messages[i] = &sarama.ProducerMessage{Topic: request.Topic, Partition: given.Partition}
		if given.Key != nil {
			messages[i].Key = sarama.StringEncoder(*given.Key)
		}
		if given.Value != nil {
			messages[i].Value = sarama.StringEncoder(*given.Value)
		}
		for _, header := range given.Headers {
			pair := sarama.RecordHeader{Key: []byte(header[0]), Value: []byte(header[1])}
			messages[i].Headers = append(messages[i].Headers, pair)
		}
		if given.Timestamp != 0 {
			messages[i].Timestamp = time.UnixMilli(given.Timestamp)
		}
	}
	return errors.Join(producer.SendMessages(messages), producer.Close())
}

// Fetch opens the partition anew for each read: sarama seeks in no other way without a group.
func (c client) Fetch(request contract.Request) ([][]contract.Record, error) {
	consumer, err := sarama.NewConsumer(c.brokers, config())
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	lists := [][]contract.Record{}
	for _, read := range request.Reads {
		partition, err := consumer.ConsumePartition(request.Topic, request.Partition, read[0])
		if err != nil {
			return nil, err
		}
		records := []contract.Record{}
		for int64(len(records)) < read[1] {
			select {
			case message := <-partition.Messages():
				records = append(records, told(message))
			case <-time.After(10 * time.Second):
				return nil, fmt.Errorf("%d of %d records after 10 s", len(records), read[1])
			}
		}
		if err := partition.Close(); err != nil {
			return nil, err
		}
		lists = append(lists, records)
	}
	return lists, nil
}

func told(message *sarama.ConsumerMessage) contract.Record {
	headers := [][2]string{}
	for _, header := range message.Headers {
		headers = append(headers, [2]string{string(header.Key), string(header.Value)})
	}
	return contract.Record{
		Partition: message.Partition,
		Offset:    message.Offset,
		Key:       contract.Text(message.Key),
		Value:     contract.Text(message.Value),
		Headers:   headers,
		Timestamp: message.Timestamp.UnixMilli(),
	}
}

func (c client) Times(request contract.Request) ([]int64, error) {
	client, err := sarama.NewClient(c.brokers, config())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	offsets := []int64{}
	for _, timestamp := range request.Timestamps {
		offset, err := client.GetOffset(request.Topic, request.Partition, timestamp)
		if err != nil {
			return nil, err
		}
		offsets = append(offsets, offset)
	}
	return offsets, nil
}

type member struct {
	group   sarama.ConsumerGroup
	topic   string
	share   *contract.Share
	stop    context.CancelFunc
	stopped sync.WaitGroup

	lock    sync.Mutex
	session sarama.ConsumerGroupSession
}

func (c client) Join(request contract.Request) (contract.Member, error) {
	config := config()
	config.Consumer.Return.Errors = true
	config.Consumer.MaxWaitTime = 100 * time.Millisecond
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Group.Session.Timeout = time.Duration(request.SessionMs) * time.Millisecond
	config.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{assignors[request.Assignor]()}
	if request.Instance != nil {
		config.Consumer.Group.InstanceId = *request.Instance
	}
	group, err := sarama.NewConsumerGroup(c.brokers, request.Group, config)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &member{group: group, topic: request.Topic, share: contract.NewShare(), stop: stop}
	m.stopped.Go(func() {
		for ctx.Err() == nil {
			if err := group.Consume(ctx, []string{m.topic}, m); err != nil && ctx.Err() == nil {
				contract.Failed(err)
				return
			}
		}
	})
	m.stopped.Go(func() {
		for err := range group.Errors() {
			if ctx.Err() == nil {
				contract.Failed(err)
			}
		}
	})
	return m, nil
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.session = session
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	partition := []int32{claim.Partition()}
	m.share.Gain(partition, session.GenerationID())
	defer func() { m.share.Lose(partition, session.GenerationID()) }()
	for {
		select {
		case message, open := <-claim.Messages():
			if !open {
				return nil
			}
			m.share.HandOn(message.Partition, message.Offset, message.Value)
		case <-session.Context().Done():
			return nil
		}
	}
}

func (m *member) Commit(offsets [][2]int64) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	for partition, offset := range m.share.Positions(offsets) {
		m.session.MarkOffset(m.topic, partition, offset, "")
	}
	m.session.Commit()
	return nil
}

func (m *member) Leave() error {
	m.stop()
	err := m.group.Close()
	m.stopped.Wait()
	return err
}

func main() {
	contract.Serve(client{[]string{os.Args[1]}}, "github.com/IBM/sarama")
}
