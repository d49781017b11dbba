"""Prints ends of containers as they happen. Remembers what it has dealt with, over restarts.

    pip install nats-py 'cloudevents<2'
    python subscriber.py edge-7
"""
import asyncio
import os
import sys

import nats
from cloudevents.http import from_json
from nats.errors import TimeoutError as NothingYet


async def main(node: str) -> None:
    connection = await nats.connect(os.environ.get("NATS_URL", "nats://127.0.0.1:4222"))
    stream = f"CHRONODE_{node.replace('.', '_')}"
    subject = f"chronode.{node.replace('.', '_')}.pod.*.*.ContainerExited"
    subscription = await connection.jetstream().pull_subscribe(subject, durable="python-example", stream=stream)
    try:
        while True:
            try:
                messages = await subscription.fetch(batch=64, timeout=5)
            except NothingYet:
                continue
            for message in messages:
                event = from_json(message.data)
                print(event["time"], event["source"], event.data["container"], event.data["exitCode"], flush=True)
                await message.ack()
    finally:
        await connection.close()


asyncio.run(main(sys.argv[1]))
