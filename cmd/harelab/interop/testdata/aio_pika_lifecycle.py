"""aio-pika: robust connection, publisher confirms, topic routing, fair dispatch between two consumers."""
import asyncio
import sys
import aio_pika


async def main(url):
    connection = await aio_pika.connect_robust(url)
    async with connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        await channel.set_qos(prefetch_count=1)
        exchange = await channel.declare_exchange("aio.topic", aio_pika.ExchangeType.TOPIC, auto_delete=True)
        queue = await channel.declare_queue("aio.work", auto_delete=False, durable=True)
        await queue.bind(exchange, "work.#")
        seen = {"slow": [], "quick": []}
        done = asyncio.Event()

        def consumer(name, delay):
            async def on_message(message: aio_pika.abc.AbstractIncomingMessage):
                async with message.process():
                    await asyncio.sleep(delay)
                    seen[name].append(message.body)
                    if sum(map(len, seen.values())) == 20:
                        done.set()
            return on_message

        second = await connection.channel()
        await second.set_qos(prefetch_count=1)
        await queue.consume(consumer("slow", 0.5))
        await (await second.get_queue("aio.work")).consume(consumer("quick", 0.01))
        for i in range(20):
            await exchange.publish(
                aio_pika.Message(b"%d" % i, delivery_mode=aio_pika.DeliveryMode.PERSISTENT), routing_key="work.item.%d" % i)
        await asyncio.wait_for(done.wait(), 20)
        bodies = sorted(int(b) for b in seen["slow"] + seen["quick"])
        assert bodies == list(range(20)), bodies
        # With prefetch 1, the quick consumer takes the messages that the slow one has no slot for.
        assert len(seen["quick"]) > 3 * len(seen["slow"]), (len(seen["quick"]), len(seen["slow"]))
        try:
            await exchange.publish(aio_pika.Message(b"lost"), routing_key="nobody", mandatory=True)
            sys.exit("mandatory publish was not returned")
        except aio_pika.exceptions.DeliveryError:
            pass
        await queue.delete(if_unused=False, if_empty=False)
    print("all ok", len(seen["slow"]), "slow,", len(seen["quick"]), "quick")


asyncio.run(main(sys.argv[1]))
