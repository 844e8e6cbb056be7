"""What OpenTelemetry exports; its providers can be set once in a process."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


class Telemetry:
    """All that this process has told."""

    def __init__(self) -> None:
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        trace.set_tracer_provider(provider)
        metrics.set_meter_provider(MeterProvider([self._reader]))

    def spans(self) -> tuple[ReadableSpan, ...]:
        """The spans since this was asked last."""
        spans = self._exporter.get_finished_spans()
        self._exporter.clear()
        return spans

    def counted(self, name: str) -> list[Mapping[str, object]]:
        """The attributes that a counter has counted by."""
        data = self._reader.get_metrics_data()
        return [
            dict(point.attributes or {})
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@functools.cache
def telemetry() -> Telemetry:
    """The one of this process."""
    return Telemetry()
