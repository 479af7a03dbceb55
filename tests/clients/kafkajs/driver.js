// kafkajs behind the contract of ../contract/README.md.

'use strict'

const readline = require('readline')
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = require('kafkajs')
const snappy = require('kafkajs-snappy')
const lz4 = require('lz4-napi')
const { ZstdCodec } = require('zstd-codec')

const CODECS = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}

function emit(message) {
  process.stdout.write(JSON.stringify(message) + '\n')
}

function text(buffer) {
  return buffer === null ? null : buffer.toString()
}

/** kafkajs brings gzip alone; the others are plugged in as its manual says. */
function plugCodecs(zstd) {
  CompressionCodecs[CompressionTypes.Snappy] = snappy
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: async encoder => lz4.compressFrame(encoder.buffer),
    decompress: async buffer => lz4.decompressFrame(buffer),
  })
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: async encoder => Buffer.from(zstd.compress(encoder.buffer)),
    decompress: async buffer => Buffer.from(zstd.decompress(buffer)),
  })
}

/** Its headers are a map from a name to one value or to a list of them. */
function toMap(pairs) {
  const map = {}
  for (const [name, value] of pairs) map[name] = name in map ? [].concat(map[name], value) : value
  return map
}

function toPairs(map) {
  return Object.entries(map).flatMap(([name, values]) => [].concat(values).map(value => [name, text(value)]))
}

class Driver {
  constructor(bootstrap) {
    this.kafka = new Kafka({ clientId: 'driver', brokers: [bootstrap], logLevel: logLevel.WARN })
    this.groups = 0
  }

  async version() {
    return { version: require('kafkajs/package.json').version }
  }

  async produce({ topic, codec, idempotent, records }) {
    const producer = this.kafka.producer({ idempotent, maxInFlightRequests: 1 })
    await producer.connect()
    const messages = records.map(record => ({
      partition: record.partition,
      key: record.key,
      value: record.value,
      headers: toMap(record.headers),
      ...(record.timestamp === undefined ? {} : { timestamp: String(record.timestamp) }),
    }))
    await producer.send({ topic, acks: -1, compression: CODECS[codec], messages })
    await producer.disconnect()
  }

  /** A consumer of kafkajs is always one of a group: this one's group has no other member and commits nothing. */
  async fetch({ topic, partition, reads }) {
    const groupId = `${topic}-reader-${process.pid}-${this.groups++}`
    const consumer = this.kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    let wanted = null
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch, isStale }) => {
        if (!wanted || isStale() || batch.partition !== partition) return
        for (const message of batch.messages) {
          if (Number(message.offset) < wanted.offset + wanted.got.length) continue
          wanted.got.push({
            partition: batch.partition,
            offset: Number(message.offset),
            key: text(message.key),
            value: text(message.value),
            headers: toPairs(message.headers),
            timestamp: Number(message.timestamp),
          })
          if (wanted.got.length === wanted.count) return wanted.done()
        }
      },
    })
    const lists = []
    for (const [offset, count] of reads) {
      const got = []
      await new Promise(done => {
        wanted = { offset, count, got, done }
        consumer.seek({ topic, partition, offset: String(offset) })
      })
      wanted = null
      lists.push(got)
    }
    await consumer.disconnect()
    return { reads: lists }
  }

  async times({ topic, partition, timestamps }) {
    const admin = this.kafka.admin()
    await admin.connect()
    const offsets = []
    for (const timestamp of timestamps) {
      const places = await admin.fetchTopicOffsetsByTimestamp(topic, timestamp)
      offsets.push(Number(places.find(place => place.partition === partition).offset))
    }
    await admin.disconnect()
    return { offsets }
  }

  async join(request) {
    this.member = new Member(this.kafka, request)
    await this.member.start()
  }

  async commit({ offsets }) {
    await this.member.commit(offsets)
  }

  async leave() {
    await this.member.leave()
    this.member = null
  }
}

class Member {
  constructor(kafka, { group, topic, session_ms }) {
    this.topic = topic
    this.owned = []
    this.positions = new Map()
    this.consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: session_ms,
      heartbeatInterval: 300,
      maxWaitTimeInMs: 100,
      metadataMaxAge: 1000,
    })
    const { GROUP_JOIN, REBALANCING, CRASH } = this.consumer.events
    this.consumer.on(GROUP_JOIN, ({ payload }) => this.own(payload.memberAssignment[topic] || []))
    this.consumer.on(REBALANCING, () => this.own([]))
    this.consumer.on(CRASH, ({ payload }) => emit({ event: 'failed', error: String(payload.error) }))
  }

  async start() {
    await this.consumer.connect()
    await this.consumer.subscribe({ topic: this.topic, fromBeginning: true })
    await this.consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const records = batch.messages.map(message => [batch.partition, Number(message.offset), text(message.value)])
        this.positions.set(batch.partition, Number(batch.lastOffset()) + 1)
        emit({ event: 'records', records })
      },
    })
  }

  own(partitions) {
    this.owned = [...partitions].sort()
    for (const partition of this.positions.keys()) {
      if (!partitions.includes(partition)) this.positions.delete(partition)
    }
    emit({ event: 'owned', partitions: this.owned, generation: null, at: Date.now() * 1000 })
  }

  async commit(offsets) {
    const places = offsets || [...this.positions]
    await this.consumer.commitOffsets(
      places.map(([partition, offset]) => ({ topic: this.topic, partition, offset: String(offset) }))
    )
  }

  /** `stop` leaves the group already, so that what is owned is given up before it. */
  async leave() {
    this.own([])
    await this.consumer.stop()
    await this.consumer.disconnect()
  }
}

async function main(zstd) {
  plugCodecs(zstd)
  const driver = new Driver(process.argv[2])
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line)
    try {
      emit({ reply: (await driver[request.do](request)) || {} })
    } catch (error) {
      emit({ error: String(error) })
    }
  }
  process.exit(0)
}

ZstdCodec.run(codec => main(new codec.Simple()))
