"""How long does the page of a film take, as PDF and as PNG, on one core?

Synthetic X-rays of full size, whose landmarks are known, are measured and drawn as by ``measure --page``,
without reading them from disk. Printed are medians over the films, the first of which is not counted.
"""

import argparse
import statistics
import time
from datetime import date

import cv2
import numpy as np

from cephalometric.geometry import Orientation
from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import ANYBODY, analyses_for
from cephalometric.phantom.rendering import make_phantom
from cephalometric.reporting.analysis_drawing import draw_analysis
from cephalometric.reporting.paper import to_pixels
from cephalometric.reporting.tracing_page import PAGE_PIXELS_PER_POINT, PageFacts, TracingPages
from cephalometric.results.measured_xrays import assess_xray
from cephalometric.results.predictions import PredictedXray

EXAMPLE = """example:
  OMP_NUM_THREADS=1 python benchmarks/pages.py --films 12
"""
LANDMARKS = load_landmark_set('cldetection2023')


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--films', type=int, default=12, help='how many (default: %(default)s)')
    args = parser.parse_args()
    cv2.setNumThreads(1)
    analyses = analyses_for(LANDMARKS)
    films = [film(seed) for seed in range(args.films)]
    print('| analysis | measurements | PDF s | PNG of it s | drawing of the analysis s |\n|---|---:|---:|---:|---:|')
    for name in ('steiner', 'ricketts', 'cogs'):
        seconds = [seconds_of(xray, image, analyses[name]) for xray, image in films][1:]
        medians = ' | '.join(f'{statistics.median(values):.2f}' for values in zip(*seconds, strict=True))
        print(f'| {name} | {len(analyses[name].entries)} | {medians} |')


def film(seed: int) -> tuple[PredictedXray, np.ndarray]:
    phantom = make_phantom(seed)
    height, width = phantom.image.shape[:2]
    expected_mm = np.random.default_rng(seed).uniform(0.5, 2.5, len(LANDMARKS))
    xray = PredictedXray(
        f'film{seed}',
        f'film{seed}.png',
        None,
        width,
        height,
        phantom.spacing_mm,
        Orientation(),
        phantom.points_px,
        np.ones(len(LANDMARKS)),
        expected_error_mm=expected_mm,
        flagged=expected_mm > 2,
    )
    return xray, phantom.image


def seconds_of(xray: PredictedXray, image: np.ndarray, analysis: object) -> tuple[float, float, float]:
    moments = [time.perf_counter()]
    pages = TracingPages(LANDMARKS, PageFacts('a model', date(2026, 1, 1), ANYBODY))
    assessed = assess_xray(xray, LANDMARKS, analysis)
    pages.add(xray, image, assessed)
    pdf = pages.pdf()
    moments.append(time.perf_counter())
    cv2.imencode('.png', to_pixels(pdf, PAGE_PIXELS_PER_POINT))
    moments.append(time.perf_counter())
    cv2.imencode('.png', draw_analysis(image, LANDMARKS, xray, assessed))
    moments.append(time.perf_counter())
    return tuple(np.diff(moments).tolist())


if __name__ == '__main__':
    main()
