"""Clinical measurements from landmarks, for research."""

from cephalometric.measurements.agreement import (
    AnalysisAgreement,
    EntryAgreement,
    MeasurementError,
    analysis_agreement,
    measurement_errors,
)
from cephalometric.measurements.analyses import ANYBODY, Analysis, AnalysisEntry, Group
from cephalometric.measurements.analysis_tables import (
    analyses_for,
    check_norm_name,
    load_analyses,
    load_measurements,
    measurements_for,
)
from cephalometric.measurements.assessing import AssessedAnalysis, AssessedGroup, AssessedValue, assess, assess_all
from cephalometric.measurements.entries import Measurement
from cephalometric.measurements.measuring import (
    faces_right,
    flagged_measurements,
    measure,
    measure_all,
)
from cephalometric.measurements.norms import MeasurementClass, Norm, Person
from cephalometric.measurements.uncertainty import errors_of_xray, standard_errors

__all__ = [
    'ANYBODY',
    'Analysis',
    'AnalysisAgreement',
    'AnalysisEntry',
    'AssessedAnalysis',
    'AssessedGroup',
    'AssessedValue',
    'EntryAgreement',
    'Group',
    'Measurement',
    'MeasurementClass',
    'MeasurementError',
    'Norm',
    'Person',
    'analyses_for',
    'analysis_agreement',
    'assess',
    'assess_all',
    'check_norm_name',
    'errors_of_xray',
    'faces_right',
    'flagged_measurements',
    'load_analyses',
    'load_measurements',
    'measure',
    'measure_all',
    'measurement_errors',
    'measurements_for',
    'standard_errors',
]
